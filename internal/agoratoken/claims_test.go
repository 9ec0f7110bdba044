package agoratoken

import "testing"

func TestSpan(t *testing.T) {
	for seconds, want := range map[int64]string{
		0: "0 s", 59: "59 s", 60: "1 min", 235: "3 min 55 s", 3605: "1 h 5 s", 90_000: "25 h", 259_199: "71 h 59 min 59 s", 259_200: "3 days",
		1 << 32: "49710 days",
	} {
		if got := Span(seconds); got != want {
			t.Errorf("%d s: %q, want %q", seconds, got, want)
		}
	}
}
