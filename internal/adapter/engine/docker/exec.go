package docker

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// ExecRun implements agent.Execer. The user's time runs from the beginning, however much
// of it the engine takes to start the command.
func (e *Engine) ExecRun(ctx context.Context, o agent.Object, cmd []string, limit int64) (domain.ExecResult, error) {
	result, err := e.execRun(ctx, o, cmd, limit)
	if ctx.Err() != nil {
		return domain.ExecResult{}, domain.WrapFault(ctx.Err(), domain.Timeout, "exec-timeout", "Timeout on executing command: %s", strings.Join(cmd, " "))
	}
	return result, err
}

func (e *Engine) execRun(ctx context.Context, o agent.Object, cmd []string, limit int64) (domain.ExecResult, error) {
	id, err := e.execCreate(ctx, o, client.ExecCreateOptions{Cmd: cmd, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return domain.ExecResult{}, err
	}
	attached, err := e.api.ExecAttach(ctx, id, client.ExecAttachOptions{})
	if err != nil {
		return domain.ExecResult{}, startFault(err)
	}
	defer attached.Close()
	unblock := context.AfterFunc(ctx, attached.Close) // a read does not heed ctx
	defer unblock()
	kept := &bounded{left: limit}
	if _, err := stdcopy.StdCopy(kept, kept, attached.Reader); err != nil {
		return domain.ExecResult{}, fault(err)
	}
	code, err := e.exitCode(ctx, id)
	return domain.ExecResult{ExecID: id, Output: kept.data, ExitCode: code}, err
}

// bounded keeps the first bytes and lets the others go, so that the command is not
// held up by output that nobody will see.
type bounded struct {
	data []byte
	left int64
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	keep := min(int64(len(p)), b.left)
	b.data = append(b.data, p[:keep]...)
	b.left -= keep
	return len(p), nil
}

func (e *Engine) execCreate(ctx context.Context, o agent.Object, options client.ExecCreateOptions) (string, error) {
	if len(options.Cmd) == 0 {
		return "", domain.NewFault(domain.Invalid, "invalid", "No command to run was given")
	}
	created, err := e.api.ExecCreate(ctx, o.EngineID, options)
	if err != nil {
		return "", stateFault(err)
	}
	return created.ID, nil
}

// maxSessions is how many sessions of one container may run or wait to be joined. The engine
// forgets one that nobody joins only with the container's process, so that any number would
// take the host's memory.
const maxSessions = 512

// ExecCreate implements agent.Execer.
func (e *Engine) ExecCreate(ctx context.Context, o agent.Object, cmd []string, tty bool) (string, error) {
	info, err := e.api.ContainerInspect(ctx, o.EngineID, client.ContainerInspectOptions{})
	if err != nil {
		return "", fault(err)
	}
	if len(info.Container.ExecIDs) >= maxSessions {
		return "", domain.NewFault(domain.Conflict, "conflict",
			"Container %s has %d sessions that run or that nobody joined; a restart ends them.", o.Container, len(info.Container.ExecIDs))
	}
	return e.execCreate(ctx, o, client.ExecCreateOptions{Cmd: cmd, TTY: tty, AttachStdin: true, AttachStdout: true, AttachStderr: true})
}

// ExecResize implements agent.Execer.
func (e *Engine) ExecResize(ctx context.Context, o agent.Object, execID string, w, h int) error {
	info, err := e.execOf(ctx, o, execID)
	if err != nil {
		return err
	}
	if _, joined := e.joined.Load(execID); !joined && !info.Running { // the engine would call it a failure of its own
		return domain.NewFault(domain.Conflict, "conflict", "exec %s is not running", execID)
	}
	if _, err := e.api.ExecResize(ctx, execID, client.ExecResizeOptions{Width: uint(w), Height: uint(h)}); err != nil {
		return execFault(err, execID)
	}
	return nil
}

// ExecOpen implements agent.Execer.
func (e *Engine) ExecOpen(ctx context.Context, o agent.Object, execID string) (agent.Stream, error) {
	info, err := e.execOf(ctx, o, execID)
	if err != nil {
		return nil, err
	}
	if info.Running || info.ExitCode != 0 {
		return nil, domain.NewFault(domain.Conflict, "conflict", "exec %s was started already", execID)
	}
	if _, joined := e.joined.LoadOrStore(execID, true); joined {
		return nil, domain.NewFault(domain.Conflict, "conflict", "exec %s was started already", execID)
	}
	attached, err := e.api.ExecAttach(ctx, execID, client.ExecAttachOptions{})
	if err != nil {
		e.joined.Delete(execID)
		return nil, startFault(err)
	}
	// Started without saying terminal, the engine frames its output; the session has
	// the terminal that it was created with all the same.
	s := newStream(attached.HijackedResponse, false)
	s.leave = func() { e.joined.Delete(execID) }
	s.hangUp = func() { e.hangUp(execID) }
	s.exit = func() (int, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exitBound)
		defer cancel()
		return e.exitCode(ctx, execID)
	}
	return s, nil
}

// execOf looks at a session of o. Another container's is not there for it.
func (e *Engine) execOf(ctx context.Context, o agent.Object, execID string) (client.ExecInspectResult, error) {
	info, err := e.api.ExecInspect(ctx, execID, client.ExecInspectOptions{})
	if err != nil {
		return info, execFault(err, execID)
	}
	if info.ContainerID != o.EngineID {
		return info, domain.NewFault(domain.NotFound, "exec-not-found", "no such exec instance: %s", execID)
	}
	return info, nil
}

// execFault names a session that is not there as clients know it.
func execFault(err error, id string) error {
	f := fault(err)
	if f.Kind == domain.NotFound {
		return domain.WrapFault(err, domain.NotFound, "exec-not-found", "no such exec instance: %s", id)
	}
	return f
}

// exitBound bounds asking for the exit code of a session that has ended.
const exitBound = 10 * time.Second

// exitCode returns how an exec ended. The stream may end a moment before the engine
// has noted the code, so it is asked again until it has.
func (e *Engine) exitCode(ctx context.Context, id string) (int, error) {
	pause := time.Millisecond // most commands have ended by the time their output has
	again := time.NewTimer(pause)
	defer again.Stop()
	for {
		info, err := e.api.ExecInspect(ctx, id, client.ExecInspectOptions{})
		if err != nil {
			return -1, fault(err)
		}
		if !info.Running {
			return info.ExitCode, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return -1, fault(ctx.Err())
		}
		pause = min(2*pause, 20*time.Millisecond)
		again.Reset(pause)
	}
}

// stream is a hijacked connection as the agent's terminal.
type stream struct {
	raw    client.HijackedResponse
	out    io.Reader
	exit   func() (int, error)
	hangUp func()      // ends the process of a stream that is closed before it
	leave  func()      // is called once the stream is closed
	ended  atomic.Bool // the process is known to have ended
	once   sync.Once
}

func newStream(raw client.HijackedResponse, tty bool) *stream {
	s := &stream{raw: raw, out: raw.Reader, exit: func() (int, error) { return -1, nil }, hangUp: func() {}, leave: func() {}}
	if !tty {
		s.out = newDemux(raw.Reader)
	}
	return s
}

// Read implements io.Reader: the terminal's bytes, or both outputs as they come.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.out.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fault(err)
	}
	return n, err
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) { return s.raw.Conn.Write(p) }

// CloseWrite ends the input.
func (s *stream) CloseWrite() error { return s.raw.CloseWrite() }

// Close implements io.Closer. The process of a session does not outlive it.
func (s *stream) Close() error {
	s.once.Do(func() {
		s.raw.Close()
		if !s.ended.Load() {
			s.hangUp()
		}
		s.leave()
	})
	return nil
}

// Wait implements agent.Stream; it is asked after Read has ended. Output ends also where
// the connection does, so it is the engine's word on the process that tells its end.
func (s *stream) Wait() (int, error) {
	code, err := s.exit()
	s.ended.Store(err == nil)
	return code, err
}
