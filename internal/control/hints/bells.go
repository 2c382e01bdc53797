// Package hints is how what happens in one process is noticed by it at once. All of it may
// be lost: the rows are the truth, and are looked at now and then.
package hints

// Bell wakes a loop of this process. Ringing never blocks, and ringing twice
// before it is heard is ringing once; a lost ring costs one interval of the loop,
// because the work itself is a row.
type Bell chan struct{}

// Ring rings the bell.
func (b Bell) Ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// Bells are the loops that a use case may wake.
type Bells struct {
	Prepare    Bell // an action waits for its resources
	Release    Bell // a host holds nothing more of a deleted container
	Heal       Bell // a container that heals itself was lost
	Autoremove Bell // a container that removes itself has ended
	Fetch      Bell // an image is to be pulled
}

// NewBells returns bells that nobody rang yet.
func NewBells() Bells {
	return Bells{
		Prepare: make(Bell, 1), Release: make(Bell, 1),
		Heal: make(Bell, 1), Autoremove: make(Bell, 1), Fetch: make(Bell, 1),
	}
}
