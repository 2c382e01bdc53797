package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/keys"
)

// talk is one conversation with a console.
type talk struct {
	*command
	console *client.Console
	// resize tells the far terminal its size; nil if there is none.
	resize func(ctx context.Context, width, height int) error
	// greeting is told once every key is taken as it comes: a user who waits for it loses none.
	greeting string

	escaped atomic.Bool // the user typed ~.
}

// onTerminal says whether a person sits on both ends of the command.
func (c *command) onTerminal() bool {
	in, ok := c.In.(*os.File)
	return ok && term.IsTerminal(int(in.Fd())) && isTerminal(c.Out)
}

// hold carries bytes between the command's streams and the console until the console
// ends, the user types ~. at the beginning of a line, or ctx ends. The terminal is
// as it was before when it returns.
func (t *talk) hold(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	if t.resize != nil {
		leave, err := t.enterRaw(ctx, &work)
		if err != nil {
			return err
		}
		defer leave()
	}
	if t.greeting != "" {
		_, _ = fmt.Fprintf(t.Err, "%s\r\n", t.greeting) // the terminal is raw
	}
	in, stop, err := interruptible(t.In)
	if err != nil {
		return err
	}
	defer func() { cancel(); stop(work.Wait) }()
	work.Go(func() { t.listen(in) })
	return t.print(ctx)
}

// interruptible returns in such that stop ends a read under way and then waits.
func interruptible(in io.Reader) (from io.Reader, stop func(wait func()), err error) {
	if file, ok := in.(*os.File); ok {
		typed, err := keys.NewKeyboard(file)
		if err != nil {
			return nil, nil, err
		}
		return typed, func(wait func()) { typed.Stop(); wait(); typed.Free() }, nil
	}
	return in, func(wait func()) {
		if closer, ok := in.(io.Closer); ok {
			_ = closer.Close()
		}
		wait()
	}, nil
}

// listen sends what is typed until its end. It closes the console only when the user
// asked for that: at the end of piped input the command's output still comes.
func (t *talk) listen(in io.Reader) {
	if t.resize != nil {
		in = &keys.Escapes{From: in}
	}
	// A failure to send is told by the other direction, which knows the reason.
	_, err := io.CopyBuffer(struct{ io.Writer }{t.console}, struct{ io.Reader }{in}, make([]byte, 32<<10))
	switch {
	case err == nil:
		_ = t.console.CloseWrite()
	case errors.Is(err, keys.ErrEscaped):
		t.escaped.Store(true)
		_ = t.console.Close()
	}
}

// print shows output to its end.
func (t *talk) print(ctx context.Context) error {
	defer func() { _ = t.console.Close() }()
	_, err := io.Copy(t.Out, struct{ io.Reader }{t.console})
	if t.escaped.Load() {
		_, _ = fmt.Fprint(t.Err, "\r\ndisconnected\r\n")
		return nil
	}
	if ctx.Err() != nil {
		return exitCode(130) // as a shell reports an interrupt
	}
	if err != nil {
		return err
	}
	if code, told := t.console.ExitCode(); told && code != 0 {
		return exitCode(code)
	}
	return nil
}

// enterRaw hands every key to the far side and follows the size of the window.
func (t *talk) enterRaw(ctx context.Context, work *sync.WaitGroup) (leave func(), err error) {
	fd := int(t.In.(*os.File).Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("take the terminal over: %w", err)
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, unix.SIGWINCH)
	work.Go(func() {
		defer signal.Stop(resized)
		for {
			// A size that the far side does not take is no reason to end the conversation.
			if width, height, err := term.GetSize(fd); err == nil && width > 0 && height > 0 {
				_ = t.resize(ctx, width, height)
			}
			select {
			case <-resized:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { _ = term.Restore(fd, before) }, nil
}
