package agentsync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/pkg/providers"
	"agentsync.dev/agentsync/pkg/providers/all"
	"agentsync.dev/agentsync/pkg/providers/schema"
)

// generators make the marked blocks of the pages. What follows a colon in a block's name is what the block is about.
func generators() map[string]func(out *strings.Builder, about string) {
	return map[string]func(*strings.Builder, string){
		"vendors":  vendors,
		"vendor":   vendorFacts,
		"settings": settings,
		"findings": findings,
		"finding":  finding,
		"fields":   fields,
		"action":   actionTable,
	}
}

// generated writes the marked block of its name.
func generated(t *testing.T, block string) string {
	t.Helper()
	name := marked.FindStringSubmatch(block)[1]
	kind, about, _ := strings.Cut(name, ":")
	write := generators()[kind]
	if write == nil {
		t.Fatalf("nothing makes the block %q", name)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "<!-- begin: %s -->\n", name)
	empty := out.Len()
	write(&out, about)
	if out.Len() == empty {
		t.Errorf("the block %q has nothing to say: does %q exist?", name, about)
	}
	fmt.Fprintf(&out, "<!-- end: %s -->", name)
	return out.String()
}

// TestDocsAreComplete: every code, every vendor and every field has its place in the pages, once.
func TestDocsAreComplete(t *testing.T) {
	want := map[string][]string{}
	for _, code := range providers.Codes() {
		want["docs/findings.md"] = append(want["docs/findings.md"], "finding:"+code.Code)
	}
	each(func(v providers.Vendor, g providers.Generation, _ string) {
		want["docs/fields.md"] = append(want["docs/fields.md"], "fields:"+v.TypeName(g))
		want["docs/vendors.md"] = append(want["docs/vendors.md"], "vendor:"+v.TypeName(g))
	})
	for page, names := range want {
		var got []string
		for _, block := range marked.FindAllStringSubmatch(readPage(t, page), -1) {
			if block[1] != block[3] {
				t.Errorf("%s: the block %s ends as %s", page, block[1], block[3])
			}
			got = append(got, block[1])
		}
		for _, name := range names {
			if n := len(slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != name })); n != 1 {
				t.Errorf("%s: write the lines <!-- begin: %s --> and <!-- end: %s --> once (there are %d), then run `go test . -update`", page, name, name, n)
			}
		}
	}
}

func lists() map[string]string {
	return map[string]string{"none": "no", "summaries": "ids and names", "whole": "whole agents"}
}

func deletes() map[string]string {
	return map[string]string{"none": "no", "delete": "for good", "archive": "archives"}
}

func vendors(out *strings.Builder, _ string) {
	out.WriteString("| type | vendor | list | update | delete |\n|---|---|---|---|---|\n")
	each(func(v providers.Vendor, g providers.Generation, name string) {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", name, v.Title, lists()[g.Can.List], g.Can.Update, deletes()[g.Can.Delete])
	})
}

// vendorFacts writes what one API can and cannot do.
func vendorFacts(out *strings.Builder, about string) {
	each(func(v providers.Vendor, g providers.Generation, _ string) {
		if v.TypeName(g) != about {
			return
		}
		out.WriteString("| base URL | list | update | delete | the agent's name is in |\n|---|---|---|---|---|\n")
		fmt.Fprintf(out, "| `%s` | %s | %s | %s | `%s` |\n\n", g.BaseURL, lists()[g.Can.List], g.Can.Update, deletes()[g.Can.Delete], g.NameField)
		for _, note := range g.Notes {
			fmt.Fprintf(out, "- %s\n", note)
		}
	})
}

// each visits every API generation of every vendor, with its name for readers.
func each(visit func(v providers.Vendor, g providers.Generation, name string)) {
	for _, v := range all.Vendors() {
		for _, g := range v.Generations {
			name := "`" + v.Name + "`"
			if g.Name != "" {
				name += ", `api: " + g.Name + "`"
			}
			visit(v, g, name)
		}
	}
}

func settings(out *strings.Builder, _ string) {
	out.WriteString("| variable | in a Provider document | what it is |\n|---|---|---|\n")
	for _, v := range all.Vendors() {
		for _, s := range v.Settings {
			about := s.About
			if s.Required {
				about += " (required)"
			}
			fmt.Fprintf(out, "| %s | `%s` | %s: %s |\n", code(s.Env), s.Field, v.Title, cell(about))
		}
	}
}

func findings(out *strings.Builder, _ string) {
	out.WriteString("| code | meaning | what to do |\n|---|---|---|\n")
	for _, c := range providers.Codes() {
		fmt.Fprintf(out, "| %s | %s | %s |\n", c.Code, cell(c.Title), cell(c.Cure))
	}
}

// finding writes the head of one code's section; what a person has to add stands below it.
func finding(out *strings.Builder, about string) {
	c := providers.About(about)
	if c.Code == "" {
		return
	}
	fmt.Fprintf(out, "### %s\n\n", c.Code)
	fmt.Fprintf(out, "- **Cause:** %s.\n", c.Title)
	if c.Cure != "" {
		fmt.Fprintf(out, "- **Cure:** %s.\n", c.Cure)
	}
}

// fields writes the field reference of one API, each field before those inside it.
func fields(out *strings.Builder, about string) {
	each(func(v providers.Vendor, g providers.Generation, _ string) {
		if v.TypeName(g) != about {
			return
		}
		out.WriteString("| field | type | what it is |\n|---|---|---|\n")
		var sources []string
		for _, doc := range g.Schema().Fields() {
			fmt.Fprintf(out, "| `%s` | %s | %s |\n", doc.Path, render.Kind(doc), cell(aboutField(doc)))
			if doc.Source != "" && !slices.Contains(sources, doc.Source) {
				sources = append(sources, doc.Source)
			}
		}
		fmt.Fprintf(out, "\nFrom the vendor's pages: %s\n", strings.Join(sources, ", "))
	})
}

// aboutField is a field's description, and below it the facts that hold for it. The pages that they come from are named once for all fields.
func aboutField(doc schema.FieldDoc) string {
	doc.Source = ""
	text := strings.Join(strings.Fields(doc.Description), " ")
	if facts := render.Facts(doc); len(facts) > 0 {
		text += "<br>" + markdownText.Replace(strings.Join(facts, "; "))
	}
	return strings.TrimPrefix(text, "<br>")
}

// markdownText keeps characters from being read as Markdown.
var markdownText = strings.NewReplacer("*", `\*`, "<", "&lt;", "`", "\\`")

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// cell makes s one cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
