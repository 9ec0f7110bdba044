package fakeserver

// AddFault makes something go wrong and returns the fault's ID. The error says what is wrong with the fault and what would be right.
func (s *Server) AddFault(f Fault) (string, error) { return s.faults.add(f) }

// Faults lists the faults in the order in which they were added, used up ones included.
func (s *Server) Faults() []FaultStatus { return s.faults.status() }

// FaultsChanged returns a channel that is closed when anything about the faults changes: what there is, and how often it has applied.
func (s *Server) FaultsChanged() <-chan struct{} { return s.faults.watch() }

// ClearFault lifts a fault, whatever waits for it goes on; false means that there is none with that ID.
func (s *Server) ClearFault(id string) bool { return id != "" && s.faults.clear(id) > 0 }

// ClearFaults lifts all faults and returns how many those were.
func (s *Server) ClearFaults() int { return s.faults.clear("") }

// startFault lets a fault act that does not wait to be asked.
func (s *Server) startFault(f *fault) { f.kind.start(s, f) }
