package domain

import "time"

// FollowQuery says what a follower of a container's output is told. With a Cursor the
// follower goes on behind the record that had it, and Tail and Since mean nothing.
type FollowQuery struct {
	Stdout, Stderr bool
	Tail           int       // entries from before now that come first; -1: all that are kept
	Since          time.Time // zero: from the beginning
	Cursor         string    // empty: a new follower
	// Restarts goes on when the container was stopped and is started again; otherwise
	// its end is the end.
	Restarts bool
}

// FollowKind tells the records of a followed log apart.
type FollowKind string

// The kinds of records. The first is always FollowBegin, and a follower that was not
// told FollowEnd was cut off.
const (
	FollowBegin FollowKind = "begin" // where the follower starts
	FollowLine  FollowKind = "line"  // a piece of output, usually a line with its line break
	FollowGap   FollowKind = "gap"   // entries are lost here, for Reason
	FollowEnd   FollowKind = "end"   // nothing more comes, for Reason
)

// The reasons of gaps and of ends that the host tells.
const (
	GapRotated  = "rotated"  // the engine dropped old output before the follower read it
	GapReplaced = "replaced" // the container was made anew, and its former output is gone
	EndExited   = "exited"   // the process ended
	EndDeleted  = "deleted"  // the container is gone
)

// FollowRecord is one piece of what a follower is told. Cursor names the place behind it.
type FollowRecord struct {
	Kind     FollowKind
	Stream   LogStream // of a line
	At       time.Time // of a line: when it was printed
	Data     []byte    // of a line
	Cursor   string
	Reason   string // of a gap or an end
	ExitCode *int   // of an end for EndExited, where it is known
}
