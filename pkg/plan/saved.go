package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"agentsync.dev/agentsync/pkg/providers"
)

// maxSaved is the largest saved plan that is read, in bytes.
const maxSaved = 256 << 20

// Marshal returns p as canonical JSON: the order of fields and changes is decided, two spaces indent, no HTML escapes, a newline at
// the end. The same bytes are the saved plan and the output of -o json.
func (p *Plan) Marshal() ([]byte, error) {
	var out bytes.Buffer
	if err := p.write(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// write writes p as [Plan.Marshal] returns it, one change after the other: those of thousands of agents need not be there at once.
func (p *Plan) write(w io.Writer) error {
	const none = "\n  \"changes\": []" // no text in a plan holds a newline as it is
	frame := *p
	if len(p.Changes) > 0 {
		frame.Changes = []Change{}
	}
	data, err := canonical("")(&frame)
	if err != nil {
		return err
	}
	if len(p.Changes) == 0 {
		_, err = w.Write(data)
		return err
	}
	head, tail, _ := bytes.Cut(data, []byte(none))
	if _, err := w.Write(data[:len(head)+len(none)-1]); err != nil {
		return err
	}
	before, encode := "\n    ", canonical("    ")
	for i := range p.Changes {
		change, err := encode(&p.Changes[i])
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if _, err := w.Write(bytes.TrimSuffix(change, []byte("\n"))); err != nil {
			return err
		}
		before = ",\n    "
	}
	_, err = w.Write(append([]byte("\n  ]"), tail...))
	return err
}

// canonical returns what encodes a plan or a part of it, each line after the first behind prefix. What it returns is good until its next call.
func canonical(prefix string) func(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(prefix, "  ")
	return func(v any) ([]byte, error) {
		out.Reset()
		if err := encoder.Encode(v); err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		return out.Bytes(), nil
	}
}

// digest covers everything but itself, the time, and the count of reads: the same manifests and the same live agents
// give the same digest on every machine.
func (p *Plan) digest() string {
	stable := *p
	stable.Digest, stable.CreatedAt, stable.Reads = "", "", Reads{}
	sum := sha256.New()
	if err := stable.write(sum); err != nil {
		// Every value in a plan came from JSON or YAML.
		panic(err)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// Read reads a saved plan and checks that it is one, of a version that is understood, and as it was written. The changes have no
// Work: apply plans again and carries out what still agrees.
func Read(r io.Reader, name string) (*Plan, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSaved+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxSaved {
		return nil, fmt.Errorf("%s: larger than %d bytes, no plan is", name, maxSaved)
	}
	var version struct {
		FormatVersion string `json:"formatVersion"`
	}
	if err := json.Unmarshal(data, &version); err != nil || version.FormatVersion == "" {
		return nil, fmt.Errorf("%s: not a plan that `agentsync plan --out` wrote", name)
	}
	if major, _, _ := strings.Cut(version.FormatVersion, "."); major != "1" {
		return nil, fmt.Errorf("%s: plan format %s is not understood, this agentsync reads 1.x", name, version.FormatVersion)
	}
	var p Plan
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return nil, fmt.Errorf("%s: not a plan that `agentsync plan --out` wrote: %w", name, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s: something follows the plan", name)
	}
	if p.Digest != p.digest() {
		return nil, fmt.Errorf("%s: the plan was changed after it was written (its digest does not agree)", name)
	}
	return &p, nil
}

// Reviewed returns o with what a reviewed plan already allows: whoever approved its adoptions, deletes and share of changes
// need not say so again. What the file does not hold is refused by its precondition anyway.
func (o Options) Reviewed(p *Plan) Options {
	deletes := 0
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Blocked() {
			continue
		}
		switch c.Action {
		case Adopt:
			o.Adopt = true
		case Delete:
			o.Prune = true
			deletes++
		}
	}
	o.Limits.MaxDeletes = max(o.Limits.MaxDeletes, deletes)
	if changes := p.Summary.Update + p.Summary.Delete; changes > 0 && !p.holds(providers.CodeMaxChanged) {
		o.Limits.MaxChangedPercent = -1
	}
	return o
}

// holds reports whether any change has a finding of this code.
func (p *Plan) holds(code string) bool {
	return slices.ContainsFunc(p.Changes, func(c Change) bool {
		return slices.ContainsFunc(c.Findings, func(f providers.Finding) bool { return f.Code == code })
	})
}
