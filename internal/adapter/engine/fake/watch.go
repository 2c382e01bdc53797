package fake

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/changes"
	"github.com/go-zun/zun/internal/domain"
)

// Watch names containers whose files change, by whichever process, and those whose
// process ends, or whose health changes, by the clock.
func (e *Engine) Watch(ctx context.Context) (<-chan domain.ContainerID, error) {
	if err := e.cued(ctx, OpWatch, ""); err != nil {
		return nil, err
	}
	files, err := changes.Follow(ctx, e.store.objects())
	if err != nil {
		return nil, err
	}
	records, err := e.store.all()
	if err != nil {
		files.Close()
		return nil, err
	}
	w := &watcher{engine: e, out: make(chan domain.ContainerID), ends: map[domain.ContainerID]time.Time{}}
	for _, r := range records {
		w.foresee(r)
	}
	go func() {
		defer close(w.out)
		defer files.Close()
		w.run(ctx, files.Names())
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
