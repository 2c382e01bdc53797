package term

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/control"
)

// leaving bounds the word to control that a console has ended.
const leaving = 5 * time.Second

// sit remembers a console that control counts.
func (d *Door) sit(visit control.Visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seated[visit.Console] = struct{}{}
}

// rise frees the console's seats. Its user is gone, so his request no longer bounds
// the word to control; unheard, it costs the seats until they expire.
func (d *Door) rise(ctx context.Context, visit control.Visit) {
	d.mu.Lock()
	delete(d.seated, visit.Console)
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaving)
	defer cancel()
	if err := d.desk.Leave(ctx, visit.Console); err != nil {
		d.log.WarnContext(ctx, "control was not told that a console ended; it counts it until its time is over", "console", visit.Console, "error", err)
	}
}

// keep tells control which consoles are still open.
func (d *Door) keep(ctx context.Context) {
	d.mu.Lock()
	open := slices.Collect(maps.Keys(d.seated))
	d.mu.Unlock()
	if len(open) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Counting)
	defer cancel()
	if err := d.desk.Keep(ctx, open); err != nil {
		d.log.WarnContext(ctx, "control was not told which consoles are open; telling it again soon", "consoles", len(open), "error", err)
	}
}
