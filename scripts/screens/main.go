// Command screens plays sessions on the real program, in tmux, and draws its screens as SVG: the pictures of the README. It is run at the
// top of the repository, and needs tmux.
//
//	go run ./scripts/screens DIRECTORY
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// step is one thing that a person does: wait until a text is on the screen, and then type.
type step struct {
	until string
	keys  []key
}

// scene is one picture.
type scene struct {
	file          string
	width, height int
	look          look
	args          []string
	steps         []step
	// wait is how long after the last step the picture is taken.
	wait time.Duration
}

var begin = step{"Enter", []key{"<Enter>"}}

var scenes = []scene{
	{"login", 100, 24, dark, nil, []step{{"Enter", nil}}, time.Second},
	{"online", 120, 40, dark, nil, []step{
		begin, {"ONLINE", []key{"hello", "<Enter>"}}, {"delivered", []key{"still there?", "<Enter>"}}, {"echo  still there?", nil},
	}, 17 * time.Second},
	{"ask", 120, 40, light, []string{"--on-will-expire", "ask", "--ttl", "20s"}, []step{
		begin, {"ONLINE", []key{"hello", "<Enter>"}}, {"WILL EXPIRE", nil},
	}, time.Second},
	{"fault", 120, 40, dark, []string{"--ttl", "20s"}, []step{
		begin, {"ONLINE", []key{"<C-f>"}}, {"make happen now", []key{"<Down>", "<Down>", "<Down>", "<Down>", "<Down>", "<Enter>"}},
		{"FAULT", nil}, {"Next try", nil},
	}, 300 * time.Millisecond},
	{"token", 80, 24, dark, []string{"--ttl", "20s"}, []step{begin, {"ONLINE", []key{"<C-r>"}}, {"ONLINE", []key{"<C-t>"}}, {"was 007", nil}}, time.Second},
	{"everything", 200, 60, dark, nil, []step{
		begin, {"ONLINE", []key{"hello", "<Enter>"}}, {"delivered", []key{"<C-r>"}}, {"2nd token", []key{"<Tab>", "<Up>", "<Up>", "<Up>"}},
	}, 2 * time.Second},
	{"small", 40, 12, dark, nil, []step{begin, {"ONLINE", []key{"hello", "<Enter>"}}, {"echo  hello", nil}}, 3 * time.Second},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./scripts/screens DIRECTORY")
		os.Exit(2)
	}
	if err := draw(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "screens:", err)
		os.Exit(1)
	}
}

// draw plays all scenes at once and writes their pictures.
func draw(directory string) error {
	program, remove, err := build()
	if err != nil {
		return err
	}
	defer remove()
	if err := os.MkdirAll(directory, 0o755); err != nil { //nolint:gosec // pictures for everybody
		return err
	}
	s := stage{fmt.Sprintf("ttlchat-screens-%d", os.Getpid())}
	if _, err := s.tmux("new-session", "-d", "-s", "keep", "sleep 600"); err != nil { // the server is up before the scenes begin
		return err
	}
	defer func() { _, _ = s.tmux("kill-server") }()
	failed := make([]error, len(scenes))
	var all sync.WaitGroup
	for i, c := range scenes {
		all.Go(func() {
			picture, err := s.play(program, c)
			if err == nil {
				err = os.WriteFile(filepath.Join(directory, c.file+".svg"), []byte(picture), 0o644) //nolint:gosec // pictures for everybody
			}
			if err != nil {
				failed[i] = fmt.Errorf("%s: %w", c.file, err)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}
