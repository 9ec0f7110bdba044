package fakeserver

import (
	"io"
	"net/http"
	"strconv"
)

// tokenBodyFaults are answers whose body is not what it should be. Each is too small for a file of its own.
func tokenBodyFaults() []*faultKind {
	return []*faultKind{
		{
			FaultKind: FaultKind{FaultTokenServer, "html", "a web page is the answer, as a captive portal or a proxy gives", append([]FaultParam{
				numberParam("status", 200, 200, 599, "the HTTP status"),
			}, callParams()...)},
			answer: func(f *fault, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.WriteHeader(f.values.number("status"))
				_, _ = io.WriteString(w, "<!doctype html>\n<title>Sign in</title>\n<h1>Please sign in to the network</h1>\n")
			},
		},
		spoilBody(FaultKind{FaultTokenServer, "content-type", "the right answer has a wrong content type", []FaultParam{
			textParam("content-type", "text/html", "the content type"),
		}}, func(_ *Server, f *fault, h http.Header, body []byte) []byte {
			h.Set("Content-Type", f.values["content-type"])
			return body
		}),
		spoilBody(FaultKind{FaultTokenServer, "empty-token", "the answer has an empty token, with status 200", nil},
			func(_ *Server, _ *fault, _ http.Header, body []byte) []byte { return tokenText().ReplaceAll(body, nil) }),
		{
			FaultKind: FaultKind{FaultTokenServer, "huge-body", "the answer does not end for a long time", append([]FaultParam{
				numberParam("size", 64<<20, 1, 1<<30, "how many bytes it has"),
			}, callParams()...)},
			answer: func(f *fault, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				writeHuge(w, f.values.number("size"))
			},
		},
		spoilBody(FaultKind{FaultTokenServer, "truncated-json", "the answer ends in the middle", nil},
			func(_ *Server, _ *fault, h http.Header, body []byte) []byte {
				h.Set("Content-Length", strconv.Itoa(len(body)/2))
				return body[:len(body)/2]
			}),
	}
}

// writeHuge writes size bytes of one JSON string, or as many as the client takes.
func writeHuge(w io.Writer, size int) {
	const head = `{"token":"007`
	if _, err := io.WriteString(w, head[:min(len(head), size)]); err != nil {
		return
	}
	var block [32 << 10]byte
	for i := range block {
		block[i] = 'e'
	}
	for left := size - len(head); left > 0; left -= len(block) {
		if _, err := w.Write(block[:min(left, len(block))]); err != nil {
			return
		}
	}
}
