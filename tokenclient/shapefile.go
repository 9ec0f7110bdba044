package tokenclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxShapeFile is the most bytes that a shape's file may have.
const maxShapeFile = 64 << 10

// shapeFile is a shape as people write it.
type shapeFile struct {
	Name    string            `json:"name"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Path    string            `json:"path"`
	Query   string            `json:"query"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Accept  string            `json:"accept"`
	Token   string            `json:"token"`
	Error   string            `json:"error"`
	Expiry  *struct {
		Field string     `json:"field"`
		Unit  ExpiryUnit `json:"unit"`
	} `json:"expiry"`
}

// ParseShape reads a shape from JSON with the keys name, method, url, path, query, headers, body, accept, token, error, and expiry with
// field and unit; the meaning is that of [Shape]. The method is GET without a body and POST with one; the answer is JSON when token says
// where it is. Unknown keys are errors. Errors are of kind bad_config and tell the line; what the templates are worth shows in [New].
func ParseShape(text []byte) (Shape, error) {
	if len(text) > maxShapeFile {
		return Shape{}, fail(KindBadConfig, nil, "the shape's file has more than %d KiB; it is none", maxShapeFile>>10)
	}
	var f shapeFile
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Shape{}, fail(KindBadConfig, err, "the shape's file is wrong at line %d (%s); correct it", line(text, decoder, err), quote(reason(err)))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Shape{}, fail(KindBadConfig, nil, "the shape's file goes on after its object, at line %d; keep one object", line(text, decoder, nil))
	}
	s := Shape{
		Name: f.Name, Method: f.Method, URL: f.URL, Path: f.Path, Query: f.Query, Body: f.Body, Header: f.Headers,
		Accept: f.Accept, TokenField: f.Token, ErrorField: f.Error,
	}
	if f.Expiry != nil {
		s.ExpiryField, s.ExpiryUnit = f.Expiry.Field, f.Expiry.Unit
	}
	if s.Name == "" {
		s.Name = "custom"
	}
	if s.Method == "" {
		s.Method = http.MethodGet
		if s.Body != "" {
			s.Method = http.MethodPost
		}
	}
	if s.Accept == "" && s.TokenField != "" {
		s.Accept = AcceptJSON
	}
	return s, nil
}

// line is where in the text a decoder stopped, counted from 1.
func line(text []byte, decoder *json.Decoder, err error) int {
	at := decoder.InputOffset()
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = e.Offset
	} else if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = e.Offset
	} else if name, found := unknownKey(err); found {
		at = int64(bytes.Index(text, []byte(name)))
	}
	return 1 + bytes.Count(text[:min(max(at, 0), int64(len(text)))], []byte("\n"))
}

// unknownKey returns the key, in its quotes, that a decoder does not know. Its error has no type.
func unknownKey(err error) (string, bool) {
	if err == nil {
		return "", false
	}
	return strings.CutPrefix(err.Error(), "json: unknown field ")
}

// reason says what is wrong in words of the file, not of Go.
func reason(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s cannot be a %s", e.Field, e.Value)
	}
	if errors.Is(err, io.EOF) {
		return "it is empty"
	}
	if name, found := unknownKey(err); found {
		return "there is no key " + name
	}
	return err.Error()
}
