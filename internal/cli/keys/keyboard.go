package keys

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Keyboard reads standard input and can be told to stop although nothing is typed:
// a read from a terminal cannot be interrupted, but the wait before it can.
type Keyboard struct {
	from *os.File
	wake [2]*os.File // a pipe whose closing ends the wait
}

// NewKeyboard returns the keyboard behind from.
func NewKeyboard(from *os.File) (*Keyboard, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("prepare to read the terminal: %w", err)
	}
	return &Keyboard{from: from, wake: [2]*os.File{r, w}}, nil
}

// Read implements io.Reader. After Stop it returns os.ErrClosed.
func (k *Keyboard) Read(p []byte) (int, error) {
	fds := []unix.PollFd{
		{Fd: int32(k.from.Fd()), Events: unix.POLLIN},
		{Fd: int32(k.wake[0].Fd()), Events: unix.POLLIN},
	}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("wait for input: %w", err)
		case fds[1].Revents != 0:
			return 0, os.ErrClosed
		}
		return k.from.Read(p)
	}
}

// Stop ends a Read that waits, and all later ones.
func (k *Keyboard) Stop() { _ = k.wake[1].Close() }

// Free gives the pipe back, once no Read is under way.
func (k *Keyboard) Free() { _ = k.wake[0].Close() }
