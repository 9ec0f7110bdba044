package fakeserver

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

var (
	errFileTooLarge = restError{
		status: 413, Error: "request_entity_too_large", Exception: "RequestEntityTooLargeException", Description: "The file is larger than 10 MB",
	}
	errNotMultipart = restError{
		status: 415, Error: "web_application", Exception: "WebApplicationException",
		Description: `The file must come as multipart/form-data, in a part called "file"`,
	}
	// errSecret has the sentence by which the Web SDK knows a missing permission.
	errSecret = restError{status: 403, Error: "forbidden", Exception: securityException, Description: "chatfile no permission"}
)

// postFile keeps a file for a message. The answer names it, and the secret that opens it when access was to be restricted (protocol.md e).
func (c *call) postFile() {
	if _, bad := c.bearer(); bad != nil {
		// A browser takes an answer before the end of its upload for a broken connection.
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(c.w, c.r.Body, maxFile))
		c.fail(errToken(bad))
		return
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxFile+maxBody)
	kind, data, err := c.filePart()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || len(data) > maxFile:
		c.fail(errFileTooLarge)
		return
	case err != nil:
		c.fail(errNotMultipart)
		return
	}
	f := &file{uuid: newUUID(), kind: safeKind(kind), data: data}
	if strings.EqualFold(c.r.Header.Get("Restrict-Access"), "true") {
		f.secret = newUUID()
	}
	c.srv.files.put(f)
	type entity struct {
		UUID   string `json:"uuid"`
		Type   string `json:"type"`
		Secret string `json:"share-secret,omitempty"`
	}
	c.ok(envelope{Entities: []entity{{f.uuid, "chatfile", f.secret}}})
}

// filePart reads the part called "file", and at most one byte more than a file may have.
func (c *call) filePart() (kind string, data []byte, err error) {
	parts, err := c.r.MultipartReader()
	if err != nil {
		return "", nil, err
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return "", nil, err
		}
		if part.FormName() == "file" {
			data, err := io.ReadAll(io.LimitReader(part, maxFile+1))
			return part.Header.Get("Content-Type"), data, err
		}
	}
}

// getFile serves a file. Pages show it in img and video elements, which carry no token, so the secret in the query is what counts. A
// thumbnail is the file itself, because nothing here can scale a picture, and a frame of a video is a placeholder.
func (c *call) getFile() {
	f := c.srv.files.get(c.params["file"])
	if f == nil {
		c.fail(errNoSuchResource)
		return
	}
	if f.secret != "" && !c.hasSecret(f.secret) {
		c.fail(errSecret)
		return
	}
	kind, data := f.kind, f.data
	if c.r.URL.Query().Get("vframe") == "true" {
		kind, data = "image/png", placeholder()
	}
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox")
	w := &statusWriter{ResponseWriter: c.w, status: http.StatusOK}
	http.ServeContent(w, c.r, "", time.Time{}, bytes.NewReader(data))
	c.status = w.status
}

func (c *call) hasSecret(secret string) bool {
	for _, given := range []string{c.r.Header.Get("Share-Secret"), c.r.URL.Query().Get("share-secret")} {
		if subtle.ConstantTimeCompare([]byte(given), []byte(secret)) == 1 {
			return true
		}
	}
	return false
}

// placeholder is a picture of one transparent pixel.
var placeholder = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1, 1))) // a buffer takes everything
	return b.Bytes()
})
