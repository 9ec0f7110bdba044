package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Who interrupts a run is told how far it came; what was cut short is no failure of the client, and stands in no report.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancelCause(t.Context())
	var said, reports strings.Builder
	f := &runFlags{options: new(options), jobs: 2, ttl: time.Hour, junit: filepath.Join(t.TempDir(), "junit.xml"), stdout: &reports, stderr: &said}
	time.AfterFunc(50*time.Millisecond, func() { interrupt(errors.New("interrupt signal received")) })
	err := f.run(ctx, []string{"s01-happy-renew", "s03-server-down-past-expiry"})
	if err == nil || err.Error() != "interrupt signal received; 0 of 2 scenarios had ended, 0 of them failed" {
		t.Errorf("the run ended with %v", err)
	}
	if xml, err := os.ReadFile(f.junit); err != nil || strings.Count(string(xml), `message="it was cut short: interrupt signal received"`) != 2 || !strings.Contains(string(xml), `errors="2"`) {
		t.Errorf("the written report does not have them as cut short: %v\n%s", err, xml)
	}
	if reports.Len() > 0 {
		t.Errorf("there are reports:\n%s", reports.String())
	}
}

// What a file says of itself is printed, and does nothing to the terminal.
func TestListingIsSafe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "evil.yaml")
	text := "name: evil\nstory: s.\ntags: [\"\\e]0;pwned\\a\\e[2Jred\", \"\\x9b2Jgreen\"]\nuntil: 1T\nexpect: {final: online}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var listed strings.Builder
	f := &runFlags{options: new(options), jobs: 1, list: true, stdout: &listed, stderr: io.Discard}
	if err := f.run(t.Context(), []string{file}); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%-34s red,green\n", "evil"); listed.String() != want {
		t.Errorf("listed %q, want %q", listed.String(), want)
	}
}
