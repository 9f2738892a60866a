package convirza

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/diff"
	"agentsync.dev/agentsync/pkg/providers"
)

// The limits on files: up to 10, max 10 MB each (update-agent, checked 2026-11-21). Whether MB is 10^6 or 2^20 bytes is not said; the
// smaller holds either way, and so does counting the agent's files instead of the request's.
const (
	maxFiles    = 10
	maxFileSize = 10_000_000
)

// declaredFiles returns the files that the manifest declares, none where it does not.
func declaredFiles(c providers.Change) []providers.File {
	if _, declared := c.Desired[filesField]; !declared {
		return nil
	}
	return c.Files
}

// checkFiles reports every way in which files cannot be uploaded, or would not be known again afterwards.
func checkFiles(files []providers.File) []providers.Finding {
	var findings []providers.Finding
	block := func(format string, args ...any) {
		findings = append(findings, providers.NewBlocking(providers.CodeFileLimits, fmt.Sprintf(format, args...), ""))
	}
	if len(files) > maxFiles {
		block("files: %d files, Convirza takes at most %d", len(files), maxFiles)
	}
	seen := map[string]bool{}
	for _, f := range files {
		if f.Size > maxFileSize {
			block("files: %s has %d bytes, Convirza takes at most %d", f.Name, f.Size, maxFileSize)
		}
		if f.Size == 0 {
			block("files: %s is empty", f.Name)
		}
		if !plainName(f.Name) {
			block("files: the name %q may come back changed: use plain ASCII without quotes and slashes", f.Name)
		}
		if lower := strings.ToLower(f.Name); seen[lower] {
			block("files: two files are named %s (case does not tell them apart)", f.Name)
		} else {
			seen[lower] = true
		}
		if ext := strings.ToLower(path.Ext(f.Name)); ext != ".pdf" && ext != ".docx" {
			findings = append(findings, providers.NewWarning(providers.CodeFileLimits,
				fmt.Sprintf("files: %s: only .pdf and .docx are on record", f.Name), "the vendor may refuse other types"))
		}
	}
	return findings
}

// plainName reports whether a file name survives every way of writing it into a form and a database.
func plainName(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '/' {
			return false
		}
	}
	return name != "" && strings.TrimSpace(name) == name
}

// liveFiles returns the names of the agent's files. known is false where the answer does not say.
func liveFiles(l providers.Live) (names []string, known bool) {
	v, shown := l.Config[fileNamesField]
	items, _ := v.([]any)
	for _, item := range items {
		if name, isText := item.(string); isText {
			names = append(names, name)
		}
	}
	return names, shown
}

// uploads returns the files that a PATCH must send: those that are not at the vendor as they are here. What PATCH cannot do is a
// finding: files are added, and nothing says that any are removed or replaced (update-agent, checked 2026-11-21).
func uploads(c providers.Change) (send []providers.File, findings []providers.Finding) {
	if !slices.ContainsFunc(c.Fields, func(f diff.Field) bool { return f.Path.Top() == filesField }) {
		return nil, nil
	}
	there, known := liveFiles(c.Live)
	if !known && unreadable(c.Live, fileNamesField) {
		return nil, []providers.Finding{providers.NewBlocking(providers.CodeUnreadable,
			fileNamesField+" cannot be decoded, so that the agent's files are not known", "")}
	}
	files := declaredFiles(c)
	for _, f := range files {
		isThere := slices.Contains(there, f.Name)
		if f.Uploaded && (isThere || !known) {
			continue
		}
		send = append(send, f)
		if isThere {
			findings = append(findings, providers.NewWarning(providers.CodeFilesStay,
				fmt.Sprintf("files: Convirza does not say whether PATCH replaces %s or keeps the old one beside it", f.Name), ""))
		}
	}
	stay := slices.DeleteFunc(there, func(name string) bool {
		return slices.ContainsFunc(files, func(f providers.File) bool { return f.Name == name })
	})
	if len(files) > 0 && len(stay) > 0 {
		findings = append(findings, providers.NewBlocking(providers.CodeFilesStay,
			fmt.Sprintf("files: PATCH cannot remove %s", strings.Join(stay, ", ")), ""))
	}
	return send, findings
}
