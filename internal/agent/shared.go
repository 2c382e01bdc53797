package agent

import (
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// shared are the CPUs of this host that nobody has for himself.
type shared struct {
	cpus []int // all of this host; nil where nothing can be dedicated
	left domain.CPUSet
}

// reshare notes what is left to share now, and returns those who are to be moved there.
func (l *ledger) reshare() []domain.ContainerID {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.remaining()
	if left == l.left {
		return nil
	}
	l.left = left
	var moved []domain.ContainerID
	for id, c := range l.charges {
		if c.assigned && c.want.CPUSet == (domain.CPUSet{}) {
			moved = append(moved, id)
		}
	}
	return moved
}

// remaining is where those may run who share; empty: anywhere. A host always keeps one CPU
// for them: where a list cannot be read, or takes all there are, nobody is confined. The
// caller holds mu.
func (l *ledger) remaining() domain.CPUSet {
	left := l.cpus
	for _, c := range l.charges {
		if !c.assigned {
			continue
		}
		if taken, err := domain.ParseCPUs(c.want.CPUSet.CPUs); err == nil {
			left = domain.WithoutCPUs(left, taken)
		}
	}
	if len(left) == 0 || len(left) == len(l.cpus) {
		return domain.CPUSet{}
	}
	return domain.CPUSet{CPUs: domain.FormatCPUs(left)}
}

// located says of each object where it may run in the words of assignments: on all CPUs
// is anywhere. Where nothing can be dedicated, that is all that is ever said.
func (s shared) located(objects []Object, want domain.CPUSet) []Object {
	objects = slices.Clone(objects)
	for i := range objects {
		switch o := &objects[i]; {
		case s.cpus == nil:
			o.CPUSet = want
		case o.CPUSet.CPUs == domain.FormatCPUs(s.cpus) && want.MemoryNodes == "":
			o.CPUSet = domain.CPUSet{}
		}
	}
	return objects
}
