package fleet

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// RegisterHost adds an agent's host to the fleet or renews its record. The name of
// a host that is up or has containers is not taken over by another uuid: Conflict. To
// register is no sign of life: only a beat tells that the host can run something.
func (f *Fleet) RegisterHost(ctx context.Context, h domain.Host) (domain.Host, error) {
	err := f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		if err := freeHostName(ctx, t, h); err != nil {
			return err
		}
		known, err := t.Hosts().Get(ctx, h.ID)
		switch {
		case err == nil:
			// What beats told is newer than what the caller read before this transaction,
			// and the operator's switches outlive a new registration.
			h.Inventory, h.BootID = known.Inventory, known.BootID
			h.Disabled, h.DisabledReason, h.ForcedDown = known.Disabled, known.DisabledReason, known.ForcedDown
		case !domain.IsKind(err, domain.NotFound):
			return fmt.Errorf("read host %s: %w", h.ID, err)
		}
		if h.Zone == "" {
			h.Zone = f.control.Options().DefaultZone
		}
		if err == nil && sameRegistration(h, known) {
			h = known // not written: a beat under way in another transaction must not be undone
			return nil
		}
		if err := t.Hosts().Upsert(ctx, h); err != nil {
			return fmt.Errorf("write host %s: %w", h.ID, err)
		}
		h, err = t.Hosts().Get(ctx, h.ID)
		return err
	})
	return h, err
}

func sameRegistration(a, b domain.Host) bool {
	return a.Name == b.Name && a.Address == b.Address && a.Zone == b.Zone && a.Binary == b.Binary
}

func freeHostName(ctx context.Context, t *control.Turn, h domain.Host) error {
	holder, up, err := control.LookAtHost(ctx, t, t.Options(), h.Name)
	if err != nil || holder.ID == "" || holder.ID == h.ID {
		return err
	}
	taken := domain.NewFault(domain.Conflict, "host-name-taken", "The name %s belongs to another host of the fleet.", h.Name)
	if up {
		return taken
	}
	holds, err := expel(ctx, t, holder.ID)
	if holds {
		return taken
	}
	return err
}

// Beat hears an agent's sign of life. It is written only when something changed or
// half the down-time has passed, so that a quiet fleet costs the database nothing.
// An unknown host is NotFound: the agent must register.
func (f *Fleet) Beat(ctx context.Context, b domain.Beat) (domain.BeatAnswer, error) {
	host, err := f.hearBeat(ctx, b)
	if err != nil {
		if !domain.IsKind(err, domain.NotFound) && !errors.Is(ctx.Err(), context.Canceled) { // an agent that hung up is not our deafness
			f.hearing.lost()
		}
		return domain.BeatAnswer{}, err
	}
	f.hearing.heard(f.clock())
	switch changed := f.strangers.news(host.ID, b.Orphans); {
	case changed && len(b.Orphans) > 0:
		f.log.WarnContext(ctx, "host has objects that nobody knows", "host", host.Name, "objects", b.Orphans)
	case changed:
		f.log.InfoContext(ctx, "host has no more objects that nobody knows", "host", host.Name)
	}
	return domain.BeatAnswer{NextIn: f.beatInterval(), Revision: host.Revision, Drain: host.Disabled}, nil
}

// strangers remembers of which objects that nobody knows each host told last, so that
// the log tells of changes and not of every beat.
type strangers struct {
	mu   sync.Mutex
	told map[string][]string // by host
}

// news notes what a host tells now, and says whether there is something new to log.
func (s *strangers) news(hostID string, objects []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(s.told[hostID], objects) {
		return false
	}
	delete(s.told, hostID)
	if len(objects) > 0 {
		s.told[hostID] = slices.Clone(objects)
	}
	return true
}

// beatBound bounds what the loss of a wake costs: one beat.
const beatBound = 15 * time.Second

// beatInterval never lets a host look down between two beats.
func (f *Fleet) beatInterval() time.Duration {
	return min(f.control.Options().BeatInterval, f.control.Options().ServiceDownTime/3, beatBound)
}

func (f *Fleet) hearBeat(ctx context.Context, b domain.Beat) (host domain.Host, err error) {
	var now time.Time
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		if host, err = tx.Hosts().Get(ctx, b.HostID); err != nil {
			return err
		}
		now, err = tx.Hosts().Now(ctx)
		return err
	})
	if err != nil {
		return host, fmt.Errorf("read host %s: %w", b.HostID, err)
	}
	fresh := now.Sub(host.LastSeenUp) < f.control.Options().ServiceDownTime/2
	if fresh && host.BootID == b.BootID && reflect.DeepEqual(host.Inventory, b.Inventory) {
		return host, nil
	}
	err = f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error { return t.Hosts().Beat(ctx, b) })
	if err != nil {
		return host, fmt.Errorf("write the beat of %s: %w", b.HostID, err)
	}
	return host, nil
}

// hearing remembers since when this control plane hears beats without a failure of
// its own, so that its own deafness is not taken for the death of hosts.
type hearing struct {
	mu    sync.Mutex
	since time.Time
}

func (h *hearing) heard(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() {
		h.since = now
	}
}

func (h *hearing) lost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since = time.Time{}
}

// Hears says whether this control plane has heard beats for one full down-time, so
// that a host's silence tells something about the host.
func (f *Fleet) Hears() bool {
	f.hearing.mu.Lock()
	defer f.hearing.mu.Unlock()
	return !f.hearing.since.IsZero() && f.clock().Sub(f.hearing.since) >= f.control.Options().ServiceDownTime
}

// Deaf tells that the database did not answer: beats heard so far prove nothing.
func (f *Fleet) Deaf() { f.hearing.lost() }
