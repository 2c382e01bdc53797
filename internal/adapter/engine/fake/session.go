package fake

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// followEvery is how long who waits for output or an end waits before looking again.
const followEvery = 20 * time.Millisecond

// sessions holds the exec sessions that were created and not yet opened or ended.
// They live in memory: a real engine forgets them at its restart as well.
type sessions struct {
	mu   sync.Mutex
	open map[string]*session
}

func newSessions() *sessions { return &sessions{open: map[string]*session{}} }

// session is one exec.
type session struct {
	object agent.Object
	argv   []string
	tty    bool
	mu     sync.Mutex
	joined bool
	w, h   int
}

func (s *session) size() (w, h int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w, s.h
}

func (s *session) resize(id string, w, h int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.joined {
		return domain.NewFault(domain.Conflict, "conflict", "exec %s is not running", id)
	}
	s.w, s.h = w, h
	return nil
}

// join begins the session, once.
func (s *session) join(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.joined {
		return domain.NewFault(domain.Conflict, "conflict", "exec %s was started already", id)
	}
	s.joined = true
	return nil
}

func (s *sessions) add(x *session) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := newID()
	s.open[id] = x
	return id
}

// get returns a session of o; another member's is not there for it.
func (s *sessions) get(o agent.Object, id string) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.open[id]; ok && x.object.EngineID == o.EngineID {
		return x, nil
	}
	return nil, domain.NewFault(domain.NotFound, "exec-not-found", "no such exec instance: %s", id)
}

func (s *sessions) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// stream is the caller's end of a running session. Its goroutines end when the
// process does or when the stream is closed; Wait waits for them.
type stream struct {
	input  *io.PipeWriter
	output *io.PipeReader
	cancel context.CancelFunc
	work   sync.WaitGroup
	code   int
}

func (s *stream) Read(p []byte) (int, error) { return s.output.Read(p) }

func (s *stream) Write(p []byte) (int, error) { return s.input.Write(p) }

func (s *stream) CloseWrite() error { return s.input.Close() }

// Close ends both directions; a process started for this stream ends too.
func (s *stream) Close() error {
	s.cancel()
	_ = s.output.Close()
	_ = s.input.Close()
	s.work.Wait()
	return nil
}

// Wait returns the exit code once the process has ended.
func (s *stream) Wait() (int, error) {
	s.work.Wait()
	return s.code, nil
}

// live makes a machine that waits, reads and prints for real.
func (e *Engine) live(ctx context.Context, in io.Reader, show func(domain.LogStream, []byte) bool) *program.Machine {
	return &program.Machine{
		Wait: func(d time.Duration) bool {
			if d < 0 {
				<-ctx.Done()
				return false
			}
			select {
			case <-ctx.Done():
				return false
			case <-e.clock.After(d):
				return true
			}
		},
		Print: show,
		Input: func() ([]byte, bool) {
			buffer := make([]byte, 32<<10)
			n, err := in.Read(buffer)
			return buffer[:n], err == nil
		},
	}
}

// whileAlive calls ended with the exit code when o's present run is over; it returns
// then, or when ctx ends.
func (e *Engine) whileAlive(ctx context.Context, o agent.Object, ended func(code int)) {
	for {
		r, err := e.find(o)
		if err != nil {
			ended(137)
			return
		}
		if now := e.clock.Now(); !r.alive(now) {
			if last := r.last(); last != nil {
				ended(last.ExitCode)
			}
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-e.clock.After(followEvery):
		}
	}
}
