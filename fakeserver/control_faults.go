package fakeserver

import (
	"net/http"
	"slices"

	"github.com/ttlchat/ttlchat/internal/printable"
)

// FaultList is the answer of GET faults.
type FaultList struct {
	Faults []FaultStatus `json:"faults"`
}

// FaultKindList is the answer of GET fault-kinds.
type FaultKindList struct {
	Kinds []FaultKind `json:"kinds"`
}

// Cleared is the answer of DELETE faults: how many were lifted.
type Cleared struct {
	Cleared int `json:"cleared"`
}

func (s *Server) getFaults(http.ResponseWriter, *http.Request) (any, error) {
	return FaultList{s.Faults()}, nil
}

func (s *Server) getFaultKinds(http.ResponseWriter, *http.Request) (any, error) {
	return FaultKindList{FaultKinds()}, nil
}

// postFault adds a fault and answers with it, its ID included.
func (s *Server) postFault(_ http.ResponseWriter, r *http.Request) (any, error) {
	var f Fault
	if err := decodeControl(r, &f); err != nil {
		return nil, err
	}
	id, err := s.AddFault(f)
	if err != nil {
		return nil, err
	}
	list := s.Faults()
	i := slices.IndexFunc(list, func(f FaultStatus) bool { return f.ID == id })
	if i < 0 {
		return nil, controlError(http.StatusConflict, "the fault %s was cleared at once by somebody else", id)
	}
	return list[i], nil
}

func (s *Server) deleteFaults(http.ResponseWriter, *http.Request) (any, error) {
	return Cleared{s.ClearFaults()}, nil
}

func (s *Server) deleteFault(_ http.ResponseWriter, r *http.Request) (any, error) {
	id := r.PathValue("id")
	if !s.ClearFault(id) {
		return nil, controlError(http.StatusNotFound, "there is no fault %q; the list of faults has them all", printable.Line(id, 64))
	}
	return Cleared{1}, nil
}
