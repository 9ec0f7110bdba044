package fakeserver

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestTwoAutomaticCreationsClash: within one second the second one is refused, later it is an ordinary grant.
func TestTwoAutomaticCreationsClash(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		app := w.srv.appToken(t, 600)
		for i, want := range []struct {
			status int
			answer string
		}{
			{http.StatusOK, `"username":"dora"`},
			{http.StatusConflict, `"error":"concurrent_operation_error"`},
			{http.StatusConflict, `"error":"concurrent_operation_error"`},
			{http.StatusOK, `"username":"dora"`},
		} {
			status, answer := w.rest(http.MethodPost, "/ttlchat/demo/token", app, `{"grant_type":"inherit","username":"dora","autoCreateUser":true}`)
			if status != want.status || !strings.Contains(answer, want.answer) {
				t.Errorf("call %d: %d %s, want %d with %s", i, status, answer, want.status, want.answer)
			}
			time.Sleep(400 * time.Millisecond)
		}
	})
}
