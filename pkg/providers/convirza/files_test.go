package convirza

import (
	"strings"
	"testing"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

func TestCheckFiles(t *testing.T) {
	sized := func(name string, size int64) providers.File { return providers.File{Name: name, Size: size} }
	eleven := make([]providers.File, 0, 11)
	for i := range 11 {
		eleven = append(eleven, sized(string(rune('a'+i))+".pdf", 1))
	}
	for _, tc := range []struct {
		name  string
		files []providers.File
		want  string
	}{
		{"none", nil, ""},
		{"ten", eleven[:10], ""},
		{"eleven", eleven, "blocking AS308"},
		{"largest", []providers.File{sized("a.pdf", 10_000_000)}, ""},
		{"too large", []providers.File{sized("a.PDF", 10_000_001)}, "blocking AS308"},
		{"empty", []providers.File{sized("a.docx", 0)}, "blocking AS308"},
		{"same name but for case", []providers.File{sized("a.pdf", 1), sized("A.pdf", 1)}, "blocking AS308"},
		{"not ASCII", []providers.File{sized("é.pdf", 1)}, "blocking AS308"},
		{"quote", []providers.File{sized(`a".pdf`, 1)}, "blocking AS308"},
		{"space in front", []providers.File{sized(" a.pdf", 1)}, "blocking AS308"},
		{"space inside", []providers.File{sized("price list.pdf", 1)}, ""},
		{"other type", []providers.File{sized("a.txt", 1)}, "warning AS308"},
		{"everything at once", []providers.File{sized("ü.txt", 0), sized("Ü.txt", 10_000_001)},
			"blocking AS308, blocking AS308, warning AS308, blocking AS308, blocking AS308, blocking AS308, warning AS308"},
	} {
		if got := codes(checkFiles(tc.files)); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestUploads(t *testing.T) {
	for _, tc := range []struct {
		name, live string // the live file names, as JSON
		files      []providers.File
		send, want string
	}{
		{"new", `[]`, []providers.File{file("a.pdf", "a", false)}, "a.pdf", ""},
		{"one of two is new", `["a.pdf"]`, []providers.File{file("a.pdf", "a", true), file("b.pdf", "b", false)}, "b.pdf", ""},
		{"new content", `["a.pdf"]`, []providers.File{file("a.pdf", "a", false)}, "a.pdf", "warning AS306"},
		{"gone at the vendor", `[]`, []providers.File{file("a.pdf", "a", true)}, "a.pdf", ""},
		{"vendor does not say", `null`, []providers.File{file("a.pdf", "a", true), file("b.pdf", "b", false)}, "b.pdf", ""},
		{"one too many at the vendor", `["a.pdf", "old.pdf"]`, []providers.File{file("a.pdf", "a", true)}, "", "blocking AS306"},
		{"renamed by the vendor", `["A.pdf"]`, []providers.File{file("a.pdf", "a", true)}, "a.pdf", "blocking AS306"},
		{"names undecodable", `[1]`, []providers.File{file("a.pdf", "a", false)}, "", "blocking AS206"},
	} {
		c := change(t, vendorAgent(t, `{"knowledgebase_files": `+tc.live+`}`), nil, diff.Object{}, tc.files...)
		files, findings := uploads(c)
		var names []string
		for _, f := range files {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != tc.send || codes(findings) != tc.want {
			t.Errorf("%s: sends %q, want %q; findings %q, want %q", tc.name, got, tc.send, codes(findings), tc.want)
		}
		c.Fields = nil
		if files, findings := uploads(c); len(files)+len(findings) > 0 {
			t.Errorf("%s: sends %d files and has %d findings where files do not change", tc.name, len(files), len(findings))
		}
	}
}

// Findings about files stop the request that would carry them, and a declared file outside the limits stops any.
func TestFileLimitsBlock(t *testing.T) {
	bad := providers.File{Name: "a.pdf", Size: maxFileSize + 1}
	desired := diff.Object{"files": []any{"a.pdf"}}
	w := planCreate(providers.Change{Desired: desired, Files: []providers.File{bad}})
	if codes(w.Findings) != "blocking AS308" || w.Requests != nil {
		t.Errorf("create: %s", show(w))
	}
	c := change(t, vendorAgent(t, `{"knowledgebase_files": []}`), object(t, created), diff.Object{}, bad)
	if w := planUpdate(root(), c); codes(w.Findings) != "blocking AS308" || w.Requests != nil {
		t.Errorf("update: %s", show(w))
	}
}
