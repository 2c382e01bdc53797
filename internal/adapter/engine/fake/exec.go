package fake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// ExecRun runs cmd beside the member's process and collects at most limit bytes.
func (e *Engine) ExecRun(ctx context.Context, o agent.Object, cmd []string, limit int64) (result domain.ExecResult, err error) {
	defer func() {
		if ctx.Err() != nil {
			err = domain.WrapFault(ctx.Err(), domain.Timeout, "exec-timeout", "Timeout on executing command: %s", strings.Join(cmd, " "))
		}
	}()
	id, err := e.ExecCreate(ctx, o, cmd, false)
	if err != nil {
		return domain.ExecResult{}, err
	}
	s, err := e.ExecOpen(ctx, o, id)
	if err != nil {
		return domain.ExecResult{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	result.ExecID = id
	err = s.CloseWrite()
	var kept bytes.Buffer
	if err == nil {
		_, err = io.Copy(&kept, io.LimitReader(s, limit))
	}
	if err == nil {
		_, err = io.Copy(io.Discard, s)
	}
	result.Output = kept.Bytes()
	if err != nil {
		return result, fmt.Errorf("read exec output: %w", err)
	}
	result.ExitCode, err = s.Wait()
	return result, err
}

// ExecCreate prepares cmd; it runs when opened.
func (e *Engine) ExecCreate(ctx context.Context, o agent.Object, cmd []string, tty bool) (string, error) {
	if err := e.cued(ctx, OpExec, o.Container); err != nil {
		return "", err
	}
	r, err := e.find(o)
	if err != nil {
		return "", err
	}
	switch {
	case len(cmd) == 0:
		return "", domain.NewFault(domain.Invalid, "invalid", "No command to run was given")
	case r.status(e.clock.Now()) == domain.Paused:
		return "", domain.NewFault(domain.Conflict, "paused", "Container %s is paused", o.Container)
	case !r.alive(e.clock.Now()):
		return "", notRunning(o)
	}
	return e.sessions.add(&session{object: o, argv: cmd, tty: tty}), nil
}

// ExecResize tells the terminal's size in characters.
func (e *Engine) ExecResize(_ context.Context, o agent.Object, execID string, w, h int) error {
	s, err := e.sessions.get(o, execID)
	if err != nil {
		return err
	}
	return s.resize(execID, w, h)
}

// ExecOpen runs the command of a session and joins its streams. The command ends
// with the stream or with the member.
func (e *Engine) ExecOpen(_ context.Context, o agent.Object, execID string) (agent.Stream, error) {
	x, err := e.sessions.get(o, execID)
	if err != nil {
		return nil, err
	}
	r, err := e.find(x.object)
	if err != nil {
		return nil, err
	}
	if err := x.join(execID); err != nil {
		return nil, err
	}
	root, err := e.rootOf(r)
	if err != nil {
		return nil, fmt.Errorf("open files of %s: %w", r.Container, err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // the stream's own life; Close and the member end it
	in, input := io.Pipe()
	output, out := io.Pipe()
	s := &stream{input: input, output: output, cancel: cancel}
	m := e.live(ctx, in, func(_ domain.LogStream, data []byte) bool {
		if x.tty {
			data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		}
		_, err := out.Write(data)
		return err == nil
	})
	m.TTY, m.Size = x.tty, x.size
	s.work.Go(func() {
		e.whileAlive(ctx, x.object, func(int) { cancel(); _ = in.CloseWithError(io.EOF) })
	})
	s.work.Go(func() {
		s.code = r.machine(root, m).Enter(x.argv)
		_ = out.Close()
		_ = in.Close()
		_ = root.Close()
		e.sessions.drop(execID)
		cancel()
	})
	return s, nil
}

// Attach joins the member's own streams: its output from now on, and its input if it
// is interactive. Closing the stream leaves the process alone.
func (e *Engine) Attach(ctx context.Context, o agent.Object) (agent.Stream, error) {
	if err := e.cued(ctx, OpAttach, o.Container); err != nil {
		return nil, err
	}
	r, err := e.find(o)
	if err != nil {
		return nil, err
	}
	if !r.alive(e.clock.Now()) {
		return nil, notRunning(o)
	}
	life, cancel := context.WithCancel(context.Background()) // the stream's own life, ended by Close
	in, input := io.Pipe()
	output, out := io.Pipe()
	s := &stream{input: input, output: output, cancel: cancel, code: -1}
	s.work.Go(func() {
		e.follow(life, o, len(r.printed(e.clock.Now())), out)
		e.whileAlive(life, o, func(code int) { s.code = code })
		_ = out.Close()
		_ = in.CloseWithError(io.ErrClosedPipe)
		cancel()
	})
	s.work.Go(func() { e.feed(life, r, in) })
	return s, nil
}

// Resize tells the size of the member's own terminal, which nothing simulated asks for.
func (e *Engine) Resize(ctx context.Context, o agent.Object, _, _ int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := e.find(o)
	if err == nil && !r.alive(e.clock.Now()) {
		err = notRunning(o)
	}
	return err
}

// follow copies what is printed after the first seen lines until the process ends.
func (e *Engine) follow(ctx context.Context, o agent.Object, seen int, out io.Writer) {
	for {
		r, err := e.find(o)
		if err != nil {
			return
		}
		now := e.clock.Now()
		lines := r.printed(now)
		for _, line := range lines[min(seen, len(lines)):] {
			if _, err := out.Write(line.Data); err != nil {
				return
			}
		}
		seen = len(lines)
		if !r.alive(now) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-e.clock.After(followEvery):
		}
	}
}

// feed gives input to the process if it reads any. What it prints in answer is
// stored with the run, so that logs and every other attached stream have it too.
func (e *Engine) feed(ctx context.Context, r record, in *io.PipeReader) {
	argv := r.argv()
	if reads := program.Known(argv[0]) && len(argv) == 1; !r.Spec.Interactive || !reads {
		_, _ = io.Copy(io.Discard, in)
		return
	}
	o := agent.Object{EngineID: r.EngineID, Container: r.Container}
	store := func(s domain.LogStream, data []byte) bool {
		_, err := e.change(o, func(r *record, now time.Time) error {
			last := r.last()
			last.Extra = append(last.Extra, program.Output{At: now, Stream: s, Data: bytes.Clone(data)})
			return nil
		})
		return err == nil
	}
	m := r.machine(nil, e.live(ctx, in, store))
	read := m.Input
	m.Input = func() ([]byte, bool) {
		data, more := read()
		if r.Spec.TTY && len(data) > 0 {
			store(domain.Stdout, data) // a terminal echoes
		}
		return data, more
	}
	if code := m.Run(argv); m.Ended {
		// An error means that it is gone meanwhile: nothing is left to end.
		_, _ = e.change(o, func(r *record, now time.Time) error { r.end(now, code); return nil })
	}
}
