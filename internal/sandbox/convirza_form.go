package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
)

// Limits of an upload (docs.convirza.com/update-agent-31106395e0, "Constraints"; MB read as 10^6). Checked 2026-11-21.
const (
	maxFiles     = 10
	maxFileBytes = 10_000_000
	maxText      = 4 << 20
)

// form is a multipart body.
type form struct{ parts []Part }

// readForm reads a form as it comes in; files are measured and hashed, not kept.
func readForm(body io.Reader, boundary string) (*form, error) {
	f := &form{}
	if boundary == "" {
		return f, errors.New("the form has no boundary")
	}
	r := multipart.NewReader(body, boundary)
	for {
		p, err := r.NextRawPart()
		if err == io.EOF { // a form that is cut off has it wrapped
			return f, nil
		}
		if err != nil {
			return f, errors.New("the form is not valid multipart/form-data")
		}
		part := Part{Name: p.FormName(), FileName: p.FileName()}
		hash := sha256.New()
		var text bytes.Buffer
		to := io.Writer(hash)
		if part.FileName == "" {
			to = &text
		}
		if part.Size, err = io.Copy(to, io.LimitReader(p, 2*maxFileBytes)); err != nil {
			return f, errors.New("the form is cut off")
		}
		if part.FileName == "" {
			part.Text = text.String()
		} else {
			part.SHA256 = hex.EncodeToString(hash.Sum(nil))
		}
		f.parts = append(f.parts, part)
	}
}

// formField is what the page's example shows of a form field.
type formField struct {
	kind     string // kindText, kindInteger, kindObject (JSON text), kindArray (a repeated part)
	required bool
	enum     []string
	urls     bool
	empty    bool // an empty part is in the page's example
}

// convirzaFields are the text parts. Which are required is in a table that could not be read: these six, as the safest reading.
func convirzaFields() map[string]formField {
	text, integer := formField{kind: kindText}, formField{kind: kindInteger}
	return map[string]formField{
		"voiceagent_name":      {kind: kindText, required: true},
		"direction":            {kind: kindText, required: true, enum: []string{"inbound", "outbound"}},
		"org_unit_id":          {kind: kindInteger, required: true},
		"voice_id":             {kind: kindInteger, required: true},
		"greetings":            {kind: kindText, required: true},
		"prompt":               {kind: kindText, required: true},
		"inherited_prompt_id":  integer,
		"integrations":         {kind: kindArray, empty: true},
		"created_by":           integer,
		"ext_org_unit_id":      integer,
		"industry_id":          integer,
		"config":               {kind: kindObject},
		"max_call_duration":    integer,
		"notification_time":    integer,
		"notification_message": text,
		"urls":                 {kind: kindArray, urls: true},
		"knowledge_base":       text,
		"more_information":     text,
	}
}

// values are a form's fields as the store has them, and its files.
type values struct {
	fields map[string]any
	files  []any // of map[string]any with name, size, sha256
	wrong  []string
}

// parse checks a form and reads it. With whole, required fields must be there.
func (f *form) parse(whole bool) values {
	v := values{fields: map[string]any{}}
	known := convirzaFields()
	for _, p := range f.parts {
		if p.Name == "files" {
			v.addFile(p)
			continue
		}
		field, ok := known[p.Name]
		switch {
		case !ok:
			v.refuse("unknown field %q", p.Name)
		case p.FileName != "":
			v.refuse("%s: must not be a file", p.Name)
		case p.Size > maxText:
			v.refuse("%s: too long", p.Name)
		default:
			v.add(p, field)
		}
	}
	if len(v.files) > maxFiles {
		v.refuse("files: at most %d files", maxFiles)
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, there := v.fields[name]; whole && known[name].required && !there {
			v.refuse("%s: required", name)
		}
	}
	return v
}

func (v *values) refuse(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
}

func (v *values) addFile(p Part) {
	switch {
	case p.FileName == "":
		v.refuse("files: must be a file")
	case p.Size == 0:
		v.refuse("files: %s is empty", p.FileName)
	case p.Size > maxFileBytes:
		v.refuse("files: %s is larger than %d bytes", p.FileName, maxFileBytes)
	}
	v.files = append(v.files, map[string]any{"name": p.FileName, "size": float64(p.Size), "sha256": p.SHA256})
}

func (v *values) add(p Part, f formField) {
	if _, twice := v.fields[p.Name]; twice && f.kind != kindArray {
		v.refuse("%s: comes twice", p.Name)
		return
	}
	if p.Text == "" && (f.required || f.urls || f.kind == kindInteger || f.kind == kindObject) {
		v.refuse("%s: must not be empty", p.Name)
		return
	}
	switch f.kind {
	case kindText:
		if f.enum != nil && !slices.Contains(f.enum, p.Text) {
			v.refuse("%s: must be one of %q", p.Name, f.enum)
		}
		v.fields[p.Name] = p.Text
	case kindInteger:
		n, err := strconv.ParseInt(p.Text, 10, 53)
		if err != nil || n < 0 {
			v.refuse("%s: must be of type %s", p.Name, f.kind)
		}
		v.fields[p.Name] = float64(n)
	case kindObject:
		o, err := voiceConfig(p.Text)
		if err != nil {
			v.refuse("%s: %v", p.Name, err)
		}
		v.fields[p.Name] = o
	case kindArray:
		v.addItem(p, f)
	}
}

func (v *values) addItem(p Part, f formField) {
	items, _ := v.fields[p.Name].([]any)
	if items == nil {
		items = []any{}
	}
	if u, err := url.Parse(p.Text); f.urls && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		v.refuse("%s: %q is not a web address", p.Name, p.Text)
	}
	if p.Text != "" {
		items = append(items, p.Text)
	}
	v.fields[p.Name] = items
}

// voiceConfig reads the part config, JSON in a text. Its three documented keys have types; others are kept.
func voiceConfig(text string) (map[string]any, error) {
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil || o == nil {
		return nil, errors.New("must be a JSON object as text")
	}
	for name, value := range o {
		ok := value != nil
		switch name {
		case "background_noise", "block_non_intelliquent_number":
			_, ok = value.(bool)
		case "volume":
			_, ok = value.(float64)
		}
		if !ok {
			return nil, fmt.Errorf("%s has the wrong type", name)
		}
	}
	return o, nil
}
