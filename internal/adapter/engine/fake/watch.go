package fake

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"golang.org/x/sys/unix"
)

// Watch names containers whose files change, by whichever process, and those whose
// process ends, or whose health changes, by the clock.
func (e *Engine) Watch(ctx context.Context) (<-chan domain.ContainerID, error) {
	if err := e.cued(ctx, OpWatch, ""); err != nil {
		return nil, err
	}
	changes, err := watchDir(e.store.objects())
	if err != nil {
		return nil, err
	}
	records, err := e.store.all()
	if err != nil {
		_ = changes.Close()
		return nil, err
	}
	w := &watcher{engine: e, out: make(chan domain.ContainerID), ends: map[domain.ContainerID]time.Time{}}
	for _, r := range records {
		w.foresee(r)
	}
	files := make(chan string)
	go readChanges(ctx, changes, files)
	go func() {
		defer close(w.out)
		defer func() {
			_ = changes.Close()
			for range files { // until the reader has left
			}
		}()
		w.run(ctx, files)
	}()
	return w.out, nil
}

// watcher merges what others change with what the clock brings about.
type watcher struct {
	engine *Engine
	out    chan domain.ContainerID
	ends   map[domain.ContainerID]time.Time
	queue  []domain.ContainerID
}

func (w *watcher) run(ctx context.Context, files <-chan string) {
	for {
		out, head := w.out, domain.ContainerID("")
		if len(w.queue) == 0 {
			out = nil
		} else {
			head = w.queue[0]
		}
		select {
		case <-ctx.Done():
			return
		case name, open := <-files:
			if !open {
				return
			}
			w.changed(name)
		case <-w.next():
			w.due()
		case out <- head:
			w.queue = w.queue[1:]
		}
	}
}

// changed takes up what a file says now.
func (w *watcher) changed(name string) {
	role, id, ok := parsePath(name)
	if !ok {
		return
	}
	if role == roleMember {
		delete(w.ends, id)
		if r, err := w.engine.store.read(role, id); err == nil {
			w.foresee(r)
		}
	}
	w.tell(id)
}

func (w *watcher) foresee(r record) {
	last, now := r.last(), w.engine.clock.Now()
	if r.Role != roleMember || last == nil || !r.PausedAt.IsZero() {
		return
	}
	for _, at := range []time.Time{last.EndsAt, r.nextHealth(now)} {
		known, waits := w.ends[r.Container]
		if at.After(now) && (!waits || at.Before(known)) {
			w.ends[r.Container] = at
		}
	}
}

// next fires when the first process ends; nil, which never fires, if none will.
func (w *watcher) next() <-chan time.Time {
	var first time.Time
	for _, at := range w.ends {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if first.IsZero() {
		return nil
	}
	return w.engine.clock.After(first.Sub(w.engine.clock.Now()))
}

func (w *watcher) due() {
	now := w.engine.clock.Now()
	for id, at := range w.ends {
		if !at.After(now) {
			delete(w.ends, id)
			if r, err := w.engine.store.read(roleMember, id); err == nil {
				w.foresee(r)
			}
			w.tell(id)
		}
	}
}

// tell queues id unless it waits already: a slow reader costs no memory.
func (w *watcher) tell(id domain.ContainerID) {
	for _, waiting := range w.queue {
		if waiting == id {
			return
		}
	}
	w.queue = append(w.queue, id)
}

// watchDir opens a stream of the names that appear in or vanish from dir.
func watchDir(dir string) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch fake engine: %w", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MOVED_TO|unix.IN_DELETE|unix.IN_ONLYDIR); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("watch fake engine: %w", err)
	}
	return f, nil
}

// readChanges ends when f is closed or the kernel's queue overflowed: the stream is
// then broken and the agent lists again.
func readChanges(ctx context.Context, f *os.File, files chan<- string) {
	defer close(files)
	buffer := make([]byte, 64<<10)
	for {
		n, err := f.Read(buffer)
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
			case files <- string(name):
			case <-ctx.Done():
				return
			}
		}
	}
}
