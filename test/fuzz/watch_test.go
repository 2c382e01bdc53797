//go:build integration

package fuzz

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// witness sees during the storm what must never be.
type witness struct {
	storm   *storm
	db      *sql.DB
	engines map[string]*fake.Engine // by name of the host
	told    map[string]bool
}

// watch looks again and again until ctx ends.
func (w *witness) watch(ctx context.Context) {
	for pause(ctx, 150*time.Millisecond) {
		for _, law := range laws() {
			found, err := ask(ctx, w.db, law.query)
			if err != nil {
				continue // the database is in trouble, as it shall be
			}
			for _, line := range found {
				w.tell(law.says + ": " + strings.Join(line, " "))
			}
		}
		where := map[domain.ContainerID]string{}
		for host, engine := range w.engines {
			objects, err := engine.List(ctx)
			if err != nil {
				continue
			}
			for _, o := range objects {
				if !alive(o) || o.Sandbox {
					continue
				}
				if other, twice := where[o.Container]; twice {
					w.tell(string(o.Container) + " runs on " + other + " and on " + host)
				}
				where[o.Container] = host
			}
		}
	}
}

// tell notes a fault once.
func (w *witness) tell(text string) {
	if !w.told[text] {
		w.told[text] = true
		w.storm.journal.fault("%s", text)
	}
}

func alive(o agent.Object) bool {
	return o.State.Status == domain.Running || o.State.Status == domain.Paused
}
