// Package terminal is the calling end of a host's terminal: what control and a
// console door hold while bytes pass.
package terminal

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

// Join returns once the host called host has joined the terminal. ctx is the life of
// the stream.
func Join(ctx context.Context, client linkv1.NodeClient, join *linkv1.TerminalJoin, host string) (control.Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	s, err := begin(ctx, client, join, host)
	if err != nil {
		cancel()
		return nil, wire.HostError(err, host)
	}
	s.cancel = cancel
	return s, nil
}

func begin(ctx context.Context, client linkv1.NodeClient, join *linkv1.TerminalJoin, host string) (*stream, error) {
	rpc, err := client.Open(ctx)
	if err != nil {
		return nil, err
	}
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
	return &stream{rpc: rpc, host: host, ended: make(chan struct{})}, nil
}

// stream is the caller's end of a terminal. One goroutine reads and one writes; Close
// may be called by any, at any time, and ends both.
type stream struct {
	rpc    grpc.BidiStreamingClient[linkv1.TerminalInput, linkv1.TerminalOutput]
	host   string
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
			err = wire.BrokeOff("terminal", s.host)
		}
		s.end(-1, wire.HostError(err, s.host))
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
	return wire.HostError(err, s.host)
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
