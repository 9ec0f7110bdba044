package fakeserver

import (
	"cmp"
	"fmt"
	"mime"
	"strings"
	"sync"
)

// Bounds of the files that apps attach to messages.
const (
	// maxFile is how many bytes one file may have, as at the service.
	maxFile = 10 << 20
	// maxFiles is how many bytes all of them may have; the oldest are dropped for newer ones.
	maxFiles = 64 << 20
	// fileOverhead is what a file costs beside its bytes, so that empty files are bounded too.
	fileOverhead = 1 << 10
)

// file is an attachment. Nothing of it changes once it is stored.
type file struct {
	uuid   string
	secret string // what opens it; empty when everybody may
	kind   string // the content type that it is served with
	data   []byte
}

// fileStore keeps files in memory.
type fileStore struct {
	journal *journal
	max     int

	mu     sync.Mutex
	byUUID map[string]*file
	order  []*file // oldest first
	size   int
}

func newFileStore(j *journal) *fileStore {
	return &fileStore{journal: j, max: maxFiles, byUUID: make(map[string]*file)}
}

func (s *fileStore) put(f *file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byUUID[f.uuid] = f
	s.order = append(s.order, f)
	s.size += f.cost()
	for s.size > s.max {
		oldest := s.order[0]
		s.order = s.order[1:]
		s.size -= oldest.cost()
		delete(s.byUUID, oldest.uuid)
		s.journal.add(&Entry{
			Name:   FileDropped,
			Reason: fmt.Sprintf("file %s of %d bytes dropped: all files together may have %d bytes", oldest.uuid, len(oldest.data), s.max),
		})
	}
}

func (s *fileStore) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byUUID, s.order, s.size = make(map[string]*file), nil, 0
}

func (s *fileStore) get(uuid string) *file {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byUUID[uuid]
}

func (f *file) cost() int { return len(f.data) + fileOverhead }

const unknownKind = "application/octet-stream"

// safeKind is the content type of an uploaded file, unless a browser would run it as a page.
func safeKind(claimed string) string {
	kind, params, err := mime.ParseMediaType(claimed)
	if err != nil {
		return unknownKind
	}
	for _, active := range []string{"html", "xml", "svg", "script", "multipart/"} {
		if strings.Contains(kind, active) {
			return unknownKind
		}
	}
	return cmp.Or(mime.FormatMediaType(kind, params), unknownKind)
}
