package fakeserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// form is an upload as a browser makes it.
func form(t testing.TB, part, kind string, data []byte) (contentType string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename="f"`, part)}}
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	w, err := m.CreatePart(h)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return m.FormDataContentType(), b.Bytes()
}

// do makes a call with headers of its own. The emulator has settled when it returns.
func (w *world) do(method, url string, header map[string]string, body []byte) (answer, []byte) {
	w.t.Helper()
	a := w.whole(method, url, header, string(body))
	synctest.Wait()
	return a, []byte(a.body)
}

// upload sends a file of alice's and returns where it is and what opens it.
func (w *world) upload(kind string, data []byte, restrict bool) (url, secret string) {
	w.t.Helper()
	contentType, body := form(w.t, "file", kind, data)
	header := map[string]string{"Content-Type": contentType, "Authorization": "Bearer " + w.srv.userToken(w.t, "alice", 600)}
	if restrict {
		header["restrict-access"] = "true"
	}
	resp, answer := w.do(http.MethodPost, "http://chat/ttlchat/demo/chatfiles?chat-type=CHAT&chat-target=bob", header, body)
	var got struct {
		URI      string
		Entities []map[string]string
	}
	if err := json.Unmarshal(answer, &got); err != nil || resp.status != http.StatusOK || len(got.Entities) != 1 {
		w.t.Fatalf("%d %s", resp.status, answer)
	}
	e := got.Entities[0]
	if got.URI != "http://chat/ttlchat/demo/chatfiles" || e["type"] != "chatfile" || (e["share-secret"] != "") != restrict {
		w.t.Errorf("answered %s", answer)
	}
	return got.URI + "/" + e["uuid"], e["share-secret"]
}

// TestFiles: what was uploaded comes back, as what it was, but never as a page.
func TestFiles(t *testing.T) {
	for kind, want := range map[string]string{
		"image/png":                 "image/png",
		"audio/amr":                 "audio/amr",
		"text/plain; charset=utf-8": "text/plain; charset=utf-8",
		"":                          unknownKind,
		"text/html":                 unknownKind,
		"TEXT/HTML":                 unknownKind,
		"image/svg+xml":             unknownKind,
		"application/xhtml+xml":     unknownKind,
		"text/javascript":           unknownKind,
		"multipart/x-mixed-replace": unknownKind,
		"no kind at all":            unknownKind,
	} {
		t.Run(kind, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				data := []byte("\x00\xff<script>")
				url, _ := w.upload(kind, data, false)
				resp, got := w.do(http.MethodGet, url, nil, nil)
				h := resp.header
				if resp.status != http.StatusOK || !bytes.Equal(got, data) || h.Get("Content-Type") != want {
					t.Errorf("%d %q, content type %q, want %q", resp.status, got, h.Get("Content-Type"), want)
				}
				if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox" || h.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("headers %v", h)
				}
			})
		})
	}
}

// TestFileSecret: what was uploaded with restrict-access opens with its secret only, from the header or the query (protocol.md e).
func TestFileSecret(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		data := []byte("secret plans")
		url, secret := w.upload("image/png", data, true)
		for name, tt := range map[string]struct {
			query, header string
			status        int
		}{
			"query":               {"?em-redirect=true&share-secret=" + secret, "", 200},
			"header":              {"?em-redirect=true", secret, 200},
			"thumbnail":           {"?em-redirect=true&share-secret=" + secret + "&thumbnail=true", "", 200},
			"none":                {"", "", 403},
			"wrong":               {"?share-secret=guess", "guess", 403},
			"a frame, no secret":  {"?vframe=true", "", 403},
			"one header is right": {"?share-secret=guess", secret, 200},
		} {
			resp, got := w.do(http.MethodGet, url+tt.query, map[string]string{"share-secret": tt.header}, nil)
			if resp.status != tt.status || bytes.Equal(got, data) != (tt.status == 200) {
				t.Errorf("%s: %d %s", name, resp.status, got)
			}
		}
		resp, got := w.do(http.MethodGet, url+"?share-secret="+secret+"&vframe=true", nil, nil)
		if resp.header.Get("Content-Type") != "image/png" || !bytes.HasPrefix(got, []byte("\x89PNG")) {
			t.Errorf("the frame of a video: %v %q", resp.header, got)
		}
		for _, e := range w.srv.entries(RESTRequest) {
			if strings.Contains(fmt.Sprintf("%+v", e), secret) {
				t.Errorf("the journal tells the secret: %+v", e)
			}
		}
	})
}

func TestFilesRefused(t *testing.T) {
	multi, file := form(t, "file", "image/png", []byte("x"))
	otherKind, otherBody := form(t, "photo", "image/png", []byte("x"))
	bigKind, big := form(t, "file", "image/png", make([]byte, maxFile+1))
	hugeKind, huge := form(t, "file", "image/png", make([]byte, maxFile+2*maxBody))
	edgeKind, edge := form(t, "file", "image/png", make([]byte, maxFile))
	for name, tt := range map[string]struct {
		token, kind string
		body        []byte
		status      int
		want        string
	}{
		"no token":          {"", multi, file, 401, "expired access token"},
		"expired":           {"expired alice", multi, file, 401, "expired access token"},
		"forged, and large": {"forged alice", edgeKind, edge, 401, "Unable to authenticate"},
		"not multipart":     {"alice", "image/png", file, 415, `in a part called \"file\"`},
		"another part":      {"alice", otherKind, otherBody, 415, `in a part called \"file\"`},
		"cut":               {"alice", multi, file[:len(file)-20], 415, `in a part called \"file\"`},
		"nothing":           {"alice", multi, nil, 415, `in a part called \"file\"`},
		"10 MiB":            {"alice", edgeKind, edge, 200, "chatfile"},
		"one byte more":     {"app", bigKind, big, 413, "larger than 10 MB"},
		"much more":         {"alice", hugeKind, huge, 413, "larger than 10 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				header := map[string]string{"Content-Type": tt.kind, "Authorization": "Bearer " + w.bearer(tt.token)}
				resp, got := w.do(http.MethodPost, "http://chat/ttlchat/demo/chatfiles", header, tt.body)
				if resp.status != tt.status || !strings.Contains(string(got), tt.want) {
					t.Errorf("%d %s", resp.status, got)
				}
			})
		})
	}
	inWorld(t, Config{}, func(_ *testing.T, w *world) {
		w.wantStatus(404, "alice", http.MethodGet, "chatfiles/01234567-89ab-4def-8123-456789abcdef", "")
		w.wantStatus(404, "alice", http.MethodPost, "sdk/chatfiles/part-upload", "")
	})
}

// TestFileStore: the oldest files go for newer ones, and the journal says so; empty files take room, too.
func TestFileStore(t *testing.T) {
	srv := newServer(t, Config{})
	s := newFileStore(srv.journal)
	s.max = 3*fileOverhead + 100
	for _, f := range []file{{uuid: "a", data: make([]byte, 60)}, {uuid: "b"}, {uuid: "c", data: make([]byte, 30)}, {uuid: "d", data: make([]byte, 70)}} {
		s.put(&f)
	}
	if want := []string{"b", "c", "d"}; !cmp.Equal(sorted(s.byUUID), want) || s.size > s.max || len(s.order) != 3 {
		t.Errorf("kept %q, %d bytes", sorted(s.byUUID), s.size)
	}
	dropped := srv.entries(FileDropped)
	if len(dropped) != 1 || !strings.Contains(dropped[0].Reason, "file a of 60 bytes dropped") {
		t.Errorf("the journal has %+v", dropped)
	}
	s.put(&file{uuid: "e", data: make([]byte, s.max-fileOverhead)})
	if got := maps.Clone(s.byUUID); len(got) != 1 || s.get("e") == nil || s.get("d") != nil {
		t.Errorf("kept %q", sorted(got))
	}
}
