package term

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/internal/control"
)

// pieceBytes is what one console holds in memory per direction. Who is slow slows
// the other side down and costs nothing else.
const pieceBytes = 32 << 10

// session is one console. run owns its three goroutines: one per direction, one that
// looks after time and life.
type session struct {
	conn     *websocket.Conn
	coding   coding
	target   control.Stream
	options  Options
	stopping <-chan struct{}

	in, out atomic.Int64 // bytes of the terminal from and to the user
	moved   atomic.Int64 // when the last byte moved, in Unix nanoseconds
	feeding atomic.Bool  // input waits for the target, so no pong can be read
	serving atomic.Int64 // since when output waits for the user, so that no ping can be sent; 0: it does not
}

func newSession(conn *websocket.Conn, target control.Stream, o Options, stopping <-chan struct{}) *session {
	conn.SetReadLimit(o.MaxMessage)
	s := &session{conn: conn, coding: codingOf(conn), target: target, options: o, stopping: stopping}
	s.touch()
	return s
}

func (s *session) touch() { s.moved.Store(time.Now().UnixNano()) }

// run carries bytes until one side ends or a bound is reached, tells the user why,
// and returns when nothing of the console is left.
func (s *session) run(ctx context.Context) ending {
	ctx, cancel := context.WithCancel(ctx)
	ends := make(chan ending, 3)
	var work sync.WaitGroup
	work.Go(func() { ends <- s.fromUser(ctx) })
	work.Go(func() { ends <- s.toUser(ctx) })
	work.Go(func() { ends <- s.watch(ctx) })
	end := <-ends
	// The target first: a goroutine that waits for it lets the connection go only then.
	_ = s.target.Close()
	if end.by == "user" {
		_ = s.conn.CloseNow()
	} else {
		_ = s.conn.Close(end.code, end.reason) // bounded; a user who is gone cannot be told
	}
	cancel()
	work.Wait()
	return end
}

// fromUser copies input. It goes on after the target took its last, so that the
// user's close is still seen.
func (s *session) fromUser(ctx context.Context) ending {
	buffer := make([]byte, pieceBytes)
	deaf := false
	for {
		message, eof, err := s.coding.next(ctx)
		if err != nil {
			return s.userEnded(err)
		}
		if eof {
			s.touch()
			if !deaf {
				deaf = true
				_ = s.target.CloseWrite() // a target that is gone says so by its output
			}
			continue
		}
		if err := s.feed(message, buffer, &deaf); err != nil {
			return s.userEnded(err)
		}
	}
}

// feed copies one message to the target, which may take its time.
func (s *session) feed(message io.Reader, buffer []byte, deaf *bool) error {
	for {
		n, err := message.Read(buffer)
		if n > 0 && !*deaf {
			s.feeding.Store(true)
			_, refused := s.target.Write(buffer[:n])
			s.feeding.Store(false)
			*deaf = refused != nil
			s.in.Add(int64(n))
			s.touch()
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// userEnded tells an orderly end of the user's side from a broken rule and a broken line.
func (s *session) userEnded(err error) ending {
	var bad base64.CorruptInputError
	var closed websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		return ending{by: "bounds", code: websocket.StatusMessageTooBig, reason: "The message is too long", cause: err}
	case errors.Is(err, errMalformed), errors.As(err, &bad), errors.Is(err, io.ErrUnexpectedEOF) && s.coding.text:
		return ending{by: "bounds", code: websocket.StatusInvalidFramePayloadData, reason: "The message is malformed", cause: err}
	case errors.As(err, &closed):
		return ending{by: "user", code: closed.Code, reason: short(closed.Reason)}
	case s.stalled(): // the write that gave up took the connection with it
		return unheard(context.DeadlineExceeded)
	default:
		return ending{by: "user", code: websocket.StatusAbnormalClosure, reason: "connection lost", cause: err}
	}
}

// toUser copies output to its end, then the exit code.
func (s *session) toUser(ctx context.Context) ending {
	buffer := make([]byte, pieceBytes)
	for {
		n, err := s.target.Read(buffer)
		if n > 0 {
			if failed := s.serve(ctx, func(ctx context.Context) error { return s.coding.send(ctx, buffer[:n]) }); failed != nil {
				return unheard(failed)
			}
			s.out.Add(int64(n))
			s.touch()
		}
		if errors.Is(err, io.EOF) {
			return s.targetEnded(ctx)
		}
		if err != nil {
			return endingOf(err)
		}
	}
}

func (s *session) targetEnded(ctx context.Context) ending {
	code, err := s.target.Wait()
	if err != nil {
		return endingOf(err)
	}
	if err := s.serve(ctx, func(ctx context.Context) error { return s.coding.exit(ctx, code) }); err != nil {
		return unheard(err)
	}
	return ending{by: "target", code: websocket.StatusNormalClosure, reason: "Target closed"}
}

// serve makes one write to the user, who may be slow but not for ever.
func (s *session) serve(ctx context.Context, write func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Stall)
	defer cancel()
	s.serving.Store(time.Now().UnixNano())
	defer s.serving.Store(0)
	return write(ctx)
}

// stalled says whether output has waited for the user as long as it may.
func (s *session) stalled() bool {
	since := s.serving.Load()
	return since != 0 && time.Since(time.Unix(0, since)) >= s.options.Stall
}

func unheard(err error) ending {
	if errors.Is(err, context.DeadlineExceeded) {
		return ending{by: "stall", code: websocket.StatusPolicyViolation, reason: "Nothing was taken for too long", cause: err}
	}
	return ending{by: "user", code: websocket.StatusAbnormalClosure, reason: "connection lost", cause: err}
}
