package ctl

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

type terminals struct{ calls }

func (t terminals) ExecCreate(ctx context.Context, id domain.ContainerID, cmd []string, tty bool) (string, error) {
	reply, err := ask(ctx, t.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ExecCreateRequest) (*linkv1.ExecCreateReply, error) {
		return n.ExecCreate(ctx, r)
	}, &linkv1.ExecCreateRequest{HostId: t.host.ID, Container: string(id), Command: cmd, Tty: tty})
	return reply.GetExecId(), err
}

func (t terminals) ExecResize(ctx context.Context, id domain.ContainerID, execID string, w, h int) error {
	_, err := ask(ctx, t.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ResizeRequest) (*linkv1.ResizeReply, error) {
		return n.ExecResize(ctx, r)
	}, &linkv1.ResizeRequest{HostId: t.host.ID, Container: string(id), ExecId: execID, Width: int64(w), Height: int64(h)})
	return err
}

func (t terminals) Resize(ctx context.Context, id domain.ContainerID, w, h int) error {
	_, err := ask(ctx, t.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ResizeRequest) (*linkv1.ResizeReply, error) {
		return n.Resize(ctx, r)
	}, &linkv1.ResizeRequest{HostId: t.host.ID, Container: string(id), Width: int64(w), Height: int64(h)})
	return err
}

// Open returns once the host has joined the terminal. ctx is the life of the stream.
func (t terminals) Open(ctx context.Context, id domain.ContainerID, execID string) (control.Stream, error) {
	client, err := t.nodes.client(t.host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s, err := t.join(ctx, client, id, execID)
	if err != nil {
		cancel()
		return nil, wire.ToError(err, t.peer())
	}
	s.cancel = cancel
	return s, nil
}

func (t terminals) join(ctx context.Context, client linkv1.NodeClient, id domain.ContainerID, execID string) (*stream, error) {
	rpc, err := client.Open(ctx)
	if err != nil {
		return nil, err
	}
	join := &linkv1.TerminalJoin{HostId: t.host.ID, Container: string(id), ExecId: execID}
	err = rpc.Send(&linkv1.TerminalInput{Frame: &linkv1.TerminalInput_Join{Join: join}})
	if err != nil && !errors.Is(err, io.EOF) { // after EOF the reason comes by Recv
		return nil, err
	}
	first, err := rpc.Recv()
	if err != nil {
		return nil, err
	}
	if first.GetReady() == nil {
		return nil, domain.NewFault(domain.Internal, "", "the host began a terminal without being ready")
	}
	return &stream{rpc: rpc, peer: t.peer(), ended: make(chan struct{})}, nil
}

// stream is control's end of a terminal. One goroutine reads and one writes; Close
// may be called by any, at any time, and ends both.
type stream struct {
	rpc    grpc.BidiStreamingClient[linkv1.TerminalInput, linkv1.TerminalOutput]
	peer   string
	cancel context.CancelFunc

	rest []byte // of the frame being read

	sending sync.Mutex

	once  sync.Once
	ended chan struct{} // closed once code and err stand
	code  int
	err   error
}

// Read implements io.Reader. What the reader does not take stays on the host, but
// for one window of the connection.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if err := s.receive(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) receive() error {
	select {
	case <-s.ended:
		return s.last()
	default:
	}
	frame, err := s.rpc.Recv()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = domain.NewFault(domain.Unavailable, "host-unavailable", "%s broke the terminal off", s.peer)
		}
		s.end(-1, wire.ToError(err, s.peer))
		return s.err
	}
	if exit := frame.GetExit(); exit != nil {
		if fault := exit.GetFault(); fault != nil {
			s.end(-1, wire.ToFault(fault))
		} else {
			s.end(int(exit.GetCode()), nil)
		}
		// The host waits for this side to finish before it lets the call go.
		s.sending.Lock()
		defer s.sending.Unlock()
		_ = s.rpc.CloseSend()
		return s.last()
	}
	s.rest = frame.GetOutput()
	return nil
}

// last is what Read says after the end.
func (s *stream) last() error {
	if s.err != nil {
		return s.err
	}
	return io.EOF
}

func (s *stream) end(code int, err error) {
	s.once.Do(func() {
		s.code, s.err = code, err
		close(s.ended)
	})
}

// Write implements io.Writer. It waits while the process takes no input.
func (s *stream) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), wire.Chunk)
		// A copy, because gRPC may keep a frame after Send returned.
		frame := &linkv1.TerminalInput_Stdin{Stdin: append([]byte{}, p[:n]...)}
		if err := s.send(&linkv1.TerminalInput{Frame: frame}); err != nil {
			return written, err
		}
		written += n
		p = p[n:]
	}
	return written, nil
}

// CloseWrite implements control.Stream.
func (s *stream) CloseWrite() error {
	return s.send(&linkv1.TerminalInput{Frame: &linkv1.TerminalInput_CloseWrite{CloseWrite: &linkv1.CloseWrite{}}})
}

func (s *stream) send(m *linkv1.TerminalInput) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	select {
	case <-s.ended:
		return io.ErrClosedPipe
	default:
	}
	err := s.rpc.Send(m)
	if errors.Is(err, io.EOF) {
		return io.ErrClosedPipe // the host ended the call; Read and Wait tell why
	}
	return wire.ToError(err, s.peer)
}

// Wait implements control.Stream. The end is seen by Read, so somebody must read.
func (s *stream) Wait() (int, error) {
	<-s.ended
	return s.code, s.err
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.end(-1, domain.NewFault(domain.Unavailable, "closed", "the terminal was closed"))
	s.cancel()
	return nil
}
