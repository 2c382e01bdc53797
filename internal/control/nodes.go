package control

import (
	"context"
	"io"

	"github.com/go-zun/zun/internal/domain"
)

// Nodes reaches the agents. A host that does not answer is an Unavailable fault.
type Nodes interface {
	// Wake hints host that its newest revision is rev. It returns at once and may be lost.
	Wake(host domain.Host, rev int64)
	// Calls returns the direct calls to one host.
	Calls(host domain.Host) Calls
}

// Calls are the verbs that only read or that end within the request; they bypass
// the queue. An engine that lacks the ability returns Unsupported.
type Calls interface {
	// Observe asks the engine now.
	Observe(ctx context.Context, id domain.ContainerID) (domain.Observation, error)
	// ExecRun runs a command to its end; Timeout when ctx's deadline comes first.
	ExecRun(ctx context.Context, id domain.ContainerID, cmd []string) (domain.ExecResult, error)
	Top(ctx context.Context, id domain.ContainerID, psArgs string) (domain.ProcessTable, error)
	Stats(ctx context.Context, id domain.ContainerID) (domain.Stats, error)
	// Output is what the container printed and prints.
	Output() Output
	// Terminals are the interactive calls.
	Terminals() Terminals
	// Archives are the file calls.
	Archives() Archives
	// Images are the calls on the host's images.
	Images() ImageCalls
}

// Output is what a container printed and prints.
type Output interface {
	// Logs reads what was printed so far.
	Logs(ctx context.Context, id domain.ContainerID, q domain.LogQuery, sink LogSink) error
	// Follow tells sink what is printed until the end, which is the last record, and then
	// returns nil. Unavailable says that the host broke off: the follower asks again with
	// its cursor. Invalid is a cursor that no host gave.
	Follow(ctx context.Context, id domain.ContainerID, q domain.FollowQuery, sink FollowSink) error
}

// ImageCalls look after the images of one host.
type ImageCalls interface {
	// Pull fetches what is ordered; progress is called at least every ten seconds, and an
	// error that it returns ends the pull. Faults: NotFound, Forbidden, Unavailable.
	Pull(ctx context.Context, order domain.ImageOrder, progress func(done, total int64) error) (domain.LocalImage, error)
	// Remove drops reference from the host; a missing image is no error, one in use a
	// Conflict.
	Remove(ctx context.Context, reference string) error
	// Search asks the engine's default registry.
	Search(ctx context.Context, term string) ([]domain.FoundImage, error)
}

// Terminals are exec sessions and the container's own terminal.
type Terminals interface {
	// ExecCreate prepares a session and returns the engine's id (64 hex digits).
	ExecCreate(ctx context.Context, id domain.ContainerID, cmd []string, tty bool) (string, error)
	ExecResize(ctx context.Context, id domain.ContainerID, execID string, w, h int) error
	Resize(ctx context.Context, id domain.ContainerID, w, h int) error
	// Open joins the session execID, or attaches to the container itself if it is empty.
	Open(ctx context.Context, id domain.ContainerID, execID string) (Stream, error)
}

// Archives streams files in and out as tar.
type Archives interface {
	Get(ctx context.Context, id domain.ContainerID, path string, sink ByteSink) (domain.PathStat, error)
	Put(ctx context.Context, id domain.ContainerID, path string, source ByteSource) error
}

// LogSink receives log chunks in order; an error it returns ends the reading.
type LogSink func(stream domain.LogStream, chunk []byte) error

// FollowSink receives records of a followed log in order, several at once; an error it
// returns ends the following.
type FollowSink func([]domain.FollowRecord) error

// ByteSink receives chunks in order; an error it returns ends the transfer.
type ByteSink func(chunk []byte) error

// ByteSource is read to its end.
type ByteSource = io.Reader

// Stream is a terminal's two-way byte path. CloseWrite ends stdin; Wait gives the
// exit code once the other side is done (-1 where there is none).
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	Wait() (exitCode int, err error)
}
