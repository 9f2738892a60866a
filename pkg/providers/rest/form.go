package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
)

// piece is text of a form, and the file that follows it.
type piece struct {
	text []byte
	file *Part // nil after the last text
}

// newForm lays parts out as multipart/form-data, in their order. All but the contents of files is made here, so that each attempt
// sends the same bytes, and a file is never held in memory.
func newForm(parts []Part) (*payload, error) {
	var buf bytes.Buffer
	var pieces []piece
	var length int64
	known := true
	cut := func(file *Part) {
		length += int64(buf.Len())
		pieces = append(pieces, piece{bytes.Clone(buf.Bytes()), file})
		buf.Reset()
	}
	w := multipart.NewWriter(&buf)
	for i := range parts {
		part := &parts[i]
		if err := startPart(w, part); err != nil {
			return nil, err
		}
		if part.Open != nil {
			cut(part)
			length += part.Size
			known = known && part.Size > 0
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	cut(nil)
	if !known {
		length = -1
	}
	return &payload{
		contentType: w.FormDataContentType(),
		length:      length,
		open:        func() (io.ReadCloser, error) { return openForm(pieces) },
	}, nil
}

// startPart writes the head of a part, and the text of a text part.
func startPart(w *multipart.Writer, part *Part) error {
	switch {
	case part.Name == "":
		return errors.New("a part of the form has no name")
	case (part.Open == nil) != (part.FileName == ""):
		return fmt.Errorf("part %q of the form: a file needs both a name and a way to open it", part.Name)
	case part.Open == nil:
		return w.WriteField(part.Name, part.Text)
	}
	_, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(part.Name, part.FileName)},
		"Content-Type":        {fileType(part.FileName)},
	})
	return err
}

// fileType is a fixed table: the system's would send other bytes from another machine.
func fileType(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".pdf":
		return "application/pdf"
	case ".doc":
		return "application/msword"
	case ".docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case ".txt":
		return "text/plain"
	case ".md":
		return "text/markdown"
	case ".csv":
		return "text/csv"
	case ".html":
		return "text/html"
	case ".json":
		return "application/json"
	}
	return "application/octet-stream"
}

// openForm opens all files before the first byte is sent, so that a file that went away stops the request and not its middle.
func openForm(pieces []piece) (io.ReadCloser, error) {
	body := &formBody{}
	var readers []io.Reader
	var faults []error
	for _, p := range pieces {
		readers = append(readers, bytes.NewReader(p.text))
		if p.file == nil {
			continue
		}
		file, err := p.file.Open()
		if err != nil {
			faults = append(faults, &fileError{p.file.FileName, err})
			continue
		}
		body.files = append(body.files, file)
		readers = append(readers, fileReader{file, p.file.FileName})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, errors.Join(err, body.Close())
	}
	body.Reader = io.MultiReader(readers...)
	return body, nil
}

// formBody is an open form.
type formBody struct {
	io.Reader
	files  []io.Closer
	closed sync.Once
}

func (b *formBody) Close() error {
	var faults []error
	b.closed.Do(func() {
		for _, file := range b.files {
			faults = append(faults, file.Close())
		}
	})
	return errors.Join(faults...)
}

// fileReader says which file could not be read.
type fileReader struct {
	io.Reader
	name string
}

func (r fileReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = &fileError{r.name, err}
	}
	return n, err
}

// fileError is a fault on this side: repeating does not help.
type fileError struct {
	name string
	err  error
}

func (e *fileError) Error() string { return fmt.Sprintf("file %s: %s", e.name, e.err) }
func (e *fileError) Unwrap() error { return e.err }
