package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/wire"
)

type terminalCall = grpc.BidiStreamingServer[linkv1.TerminalInput, linkv1.TerminalOutput]

// Open serves the contract: one byte path between control and the engine's stream.
// Either end closing ends both.
func (s *service) Open(call terminalCall) error {
	first, err := call.Recv()
	if err != nil {
		return err
	}
	join := first.GetJoin()
	if join == nil {
		return domain.NewFault(domain.Invalid, "bad-terminal", "a terminal begins with what to join")
	}
	hands, err := s.hands(join.GetHostId())
	if err != nil {
		return err
	}
	ctx := call.Context()
	if err := s.link.checkPermit(ctx, join); err != nil {
		return err
	}
	engine, err := hands.Terminals.Open(ctx, domain.ContainerID(join.GetContainer()), join.GetExecId())
	if err != nil {
		return err
	}
	// The engine's Read and Write do not know ctx, so its end closes them.
	unhook := context.AfterFunc(ctx, func() { _ = engine.Close() })
	defer func() {
		if unhook() {
			_ = engine.Close()
		}
	}()
	if err := call.Send(&linkv1.TerminalOutput{Frame: &linkv1.TerminalOutput_Ready{Ready: &linkv1.Ready{}}}); err != nil {
		return err
	}
	seen := &witnessed{Stream: engine}
	defer s.link.witness(ctx, join, seen)()
	return joined(call, seen)
}

// witnessed counts what passes a terminal.
type witnessed struct {
	agent.Stream
	in, out atomic.Int64
}

// Read implements io.Reader.
func (w *witnessed) Read(p []byte) (int, error) {
	n, err := w.Stream.Read(p)
	w.out.Add(int64(n))
	return n, err
}

// Write implements io.Writer.
func (w *witnessed) Write(p []byte) (int, error) {
	n, err := w.Stream.Write(p)
	w.in.Add(int64(n))
	return n, err
}

// witness records that a terminal was opened, and what it returns that it was closed: a door
// that dies cannot say so of its consoles.
func (l *Link) witness(ctx context.Context, join *linkv1.TerminalJoin, seen *witnessed) (closed func()) {
	who, began := channel.Caller(ctx), l.now()
	about := []any{"container", join.GetContainer(), "exec", join.GetExecId(), "by", string(who.Role), "door", who.ID}
	l.log.InfoContext(ctx, "terminal", append(slices.Clone(about), "event", "opened")...)
	return func() {
		l.log.InfoContext(ctx, "terminal", append(about, "event", "closed",
			"bytes_in", seen.in.Load(), "bytes_out", seen.out.Load(), "duration", l.now().Sub(began).Round(time.Millisecond).String())...)
	}
}

func joined(call terminalCall, engine agent.Stream) error {
	typed := make(chan struct{})
	go func() {
		defer close(typed)
		takeInput(call, engine)
	}()
	code, err := giveOutput(call, engine)
	// Closed before the wait, because a process that ended reads no more input and
	// takeInput may hang in a write to it.
	_ = engine.Close()
	exit := &linkv1.TerminalExit{Code: int64(code)}
	if err != nil {
		exit.Fault = wire.FromFault(err)
	}
	// The exit is a frame and not the end of the call, so that takeInput can be waited
	// for: control finishes its side once it saw the exit, and a call that cannot be
	// sent on has ended for both.
	err = call.Send(&linkv1.TerminalOutput{Frame: &linkv1.TerminalOutput_Exit{Exit: exit}})
	<-typed
	return err
}

// giveOutput copies the engine's output to control and returns the exit code.
func giveOutput(call terminalCall, engine agent.Stream) (int, error) {
	buffer := make([]byte, wire.Chunk)
	for {
		n, err := engine.Read(buffer)
		if n > 0 {
			// gRPC may keep a frame after Send returned. A key's answer is copied, because
			// a buffer for each would cost ten times what it takes to send.
			output := buffer[:n]
			if n < wire.Chunk/4 {
				output = bytes.Clone(output)
			} else {
				buffer = make([]byte, wire.Chunk)
			}
			frame := &linkv1.TerminalOutput_Output{Output: output}
			if err := call.Send(&linkv1.TerminalOutput{Frame: frame}); err != nil {
				return -1, err
			}
		}
		if errors.Is(err, io.EOF) {
			return engine.Wait()
		}
		if err != nil {
			return -1, err
		}
	}
}

// takeInput copies control's input to the engine until control finishes. Input that
// the engine takes no more is dropped, so that control is never stuck in a write.
func takeInput(call terminalCall, engine agent.Stream) {
	deaf := false
	for {
		frame, err := call.Recv()
		if err != nil {
			return
		}
		switch {
		case deaf:
		case frame.GetCloseWrite() != nil:
			deaf = true
			_ = engine.CloseWrite()
		default:
			_, err := engine.Write(frame.GetStdin())
			deaf = err != nil
		}
	}
}
