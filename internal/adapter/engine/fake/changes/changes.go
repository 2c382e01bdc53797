// Package changes tells which files of a directory come and go, by whichever process.
package changes

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Changes are those of one directory.
type Changes struct {
	file  *os.File
	names chan string
}

// Follow begins to read what appears in or vanishes from dir, until ctx ends or Close.
func Follow(ctx context.Context, dir string) (*Changes, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	c := &Changes{file: os.NewFile(uintptr(fd), "inotify"), names: make(chan string)}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MOVED_TO|unix.IN_DELETE|unix.IN_ONLYDIR); err != nil {
		_ = c.file.Close()
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	go c.read(ctx)
	return c, nil
}

// Names are the files' names. The channel is closed when the kernel's queue overflowed:
// who follows then misses some and looks at the directory as a whole.
func (c *Changes) Names() <-chan string { return c.names }

// Close ends the following and returns once nothing is read any more.
func (c *Changes) Close() {
	_ = c.file.Close()
	for range c.names { // until the reader has left
	}
}

func (c *Changes) read(ctx context.Context) {
	defer close(c.names)
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.file.Read(buffer)
		if err != nil {
			return
		}
		for rest := buffer[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			mask := binary.NativeEndian.Uint32(rest[4:])
			length := int(binary.NativeEndian.Uint32(rest[12:]))
			if mask&unix.IN_Q_OVERFLOW != 0 {
				return
			}
			name := bytes.TrimRight(rest[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length], "\x00")
			rest = rest[unix.SizeofInotifyEvent+length:]
			select {
			case c.names <- string(name):
			case <-ctx.Done():
				return
			}
		}
	}
}
