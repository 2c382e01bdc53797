package roll

import (
	"context"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// MaxAge is how old what a peer is admitted by may be. It bounds how long a replica
// still takes the calls of a peer that was revoked.
const MaxAge = 5 * time.Second

// Roll answers from memory who is admitted, and reads the store when what it knows is
// too old, or would refuse somebody: a refusal always rests on what was read for it, so
// that whoever joined a moment ago at another replica is let in. It is safe for
// concurrent use.
type Roll struct {
	store control.Store
	now   trust.Clock

	reading sync.Mutex // held while the store is read

	mu    sync.Mutex
	begun int // reads so far
	last  int // the newest of them that succeeded
	at    time.Time
	known map[string]domain.Admission // by id
}

// New returns a roll that knows nobody yet.
func New(store control.Store, now trust.Clock) *Roll { return &Roll{store: store, now: now} }

// Judge refuses who unless its certificate is of the epoch of its admission. Control is
// never refused. Faults: Unauthenticated (only a new join helps), those of the store.
func (r *Roll) Judge(ctx context.Context, who trust.Identity) error {
	if who.Role == trust.RoleControl {
		return nil
	}
	if a, fresh := r.look(who.ID); fresh && a.ID == who.ID && a.Epoch == who.Epoch {
		return nil
	}
	if err := r.Read(ctx); err != nil {
		return err
	}
	a, _ := r.look(who.ID)
	if a.ID == "" && who.Role == trust.RoleProxy {
		return r.adopt(ctx, who)
	}
	return verdict(a, who)
}

// verdict says why a does not admit who; nil if it does.
func verdict(a domain.Admission, who trust.Identity) error {
	switch {
	case a.ID == "":
		return gone("%s is not of this deployment any more; join again with a new token", who)
	case a.Epoch == who.Epoch:
		return nil
	case a.Revoked():
		return gone("%s (%s) was revoked at %s; join again with a new token", who, a.Name, a.RevokedAt.Format(time.RFC3339))
	default:
		return gone("another joined as %s at %s and took the place of this one, %s; join again with a new token",
			a.Name, a.Since.Format(time.RFC3339), who)
	}
}

func gone(format string, args ...any) error {
	return domain.NewFault(domain.Unauthenticated, wire.CodeHostGone, format, args...)
}

// adopt admits a door that nobody knows: it joined before admissions were kept, since
// they are kept for longer than any certificate lasts. Its name was not kept then.
func (r *Roll) adopt(ctx context.Context, who trust.Identity) error {
	err := r.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		all, err := tx.Trust().Admissions().List(ctx)
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.ID == who.ID {
				return nil // another replica was quicker
			}
		}
		_, err = tx.Trust().Admissions().Admit(ctx, domain.Admission{Role: domain.PeerDoor, Name: who.ID, ID: who.ID})
		return err
	})
	if err != nil {
		return err
	}
	if err := r.Read(ctx); err != nil {
		return err
	}
	a, _ := r.look(who.ID)
	return verdict(a, who)
}

// look returns the admission of id, empty if there is none, and whether it is so new
// that it may be gone by.
func (r *Roll) look(id string) (a domain.Admission, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := r.now().Sub(r.at)
	return r.known[id], r.known != nil && age >= 0 && age < MaxAge // below zero: the clock was set back
}

// Read reads the store, unless somebody else did from a moment after the call on.
func (r *Roll) Read(ctx context.Context) error {
	r.mu.Lock()
	before := r.begun
	r.mu.Unlock()
	r.reading.Lock()
	defer r.reading.Unlock()
	r.mu.Lock()
	if r.last > before {
		r.mu.Unlock()
		return nil
	}
	r.begun++
	this, at := r.begun, r.now()
	r.mu.Unlock()
	var all []domain.Admission
	err := r.store.Read(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		all, err = tx.Trust().Admissions().List(ctx)
		return err
	})
	if err != nil {
		return err
	}
	known := make(map[string]domain.Admission, len(all))
	for _, a := range all {
		known[a.ID] = a
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.at, r.known = this, at, known
	return nil
}

// Barred returns, by id, the epochs below which certificates of doors are refused.
func (r *Roll) Barred() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	barred := map[string]int64{}
	for id, a := range r.known {
		if a.Role == domain.PeerDoor && a.Epoch > 1 {
			barred[id] = a.Epoch
		}
	}
	return barred
}

// Epoch is that of the certificate which the peer with that id shows; zero if there is
// none.
func (r *Roll) Epoch(ctx context.Context, id string) (int64, error) {
	a, fresh := r.look(id)
	if fresh && a.ID == id {
		return a.Epoch, nil
	}
	if err := r.Read(ctx); err != nil {
		return 0, err
	}
	a, _ = r.look(id)
	return a.Epoch, nil
}
