package journal

import (
	"context"
	"io"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Entry is one piece of output as the engine recorded it: at most a line, with its line
// break; a long line is several. Data is the reader's and good until it reads on.
type Entry struct {
	Stream domain.LogStream
	At     time.Time
	Data   []byte
	// Lost says that entries between the one before and this one are gone; of the oldest
	// entry, that there may have been others before it.
	Lost bool
}

// Reader reads the entries of one engine object in the order in which the engine
// recorded them, beginning with the oldest that is kept.
type Reader interface {
	// Next returns the next entry, or io.EOF where there is none yet: it may be asked
	// again, and entries that were recorded meanwhile come then.
	Next() (Entry, error)
	io.Closer
}

// Member is a container's engine object as a follower needs it.
type Member struct {
	Log      string // names the object's log; another object has another; empty: never started
	Alive    bool   // its process may still print; what it printed before is recorded
	ExitCode *int
}

// Source is the container that is followed.
type Source interface {
	// Look returns the present member; NotFound when the container has none any more.
	Look(ctx context.Context) (Member, error)
	// Open reads the log of the member that Look returned last, which has one.
	Open(ctx context.Context) (Reader, error)
}

// nothing is the log of a member that was never started.
type nothing struct{}

func (nothing) Next() (Entry, error) { return Entry{}, io.EOF }
func (nothing) Close() error         { return nil }
