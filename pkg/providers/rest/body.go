package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// payload is the body of a request. It can be opened for each attempt.
type payload struct {
	contentType string
	length      int64 // -1 if it is not known
	open        func() (io.ReadCloser, error)
}

// newPayload makes r's body, nil if it has none.
func newPayload(r Request) (*payload, error) {
	switch {
	case r.JSON == nil && len(r.Form) == 0:
		return nil, nil
	case r.JSON != nil && len(r.Form) > 0:
		return nil, errors.New("a request is JSON or a form, not both")
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return nil, errors.New("a read has no body")
	case r.JSON != nil:
		return newJSON(r.JSON)
	}
	return newForm(r.Form)
}

func newJSON(v any) (*payload, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("making the JSON body: %w", err)
	}
	text := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return &payload{
		contentType: "application/json",
		length:      int64(len(text)),
		open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil },
	}, nil
}

// attach opens p as the body of req. once takes the means to repeat from the transport, which else sends again by itself when it
// believes that nothing was carried out.
func (p *payload) attach(req *http.Request, once bool) error {
	if p == nil {
		return nil
	}
	body, err := p.open()
	if err != nil {
		return err
	}
	req.Body, req.ContentLength = body, p.length
	if !once {
		req.GetBody = p.open
	}
	return nil
}
