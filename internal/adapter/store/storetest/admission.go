package storetest

import (
	"context"
	"sync"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func admissionCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Admission/Epochs":   admissionEpochs,
		"Admission/Revoked":  admissionRevoked,
		"Admission/Parallel": admissionParallel,
	}
}

// admit returns the epoch of a peer that joins now.
func (p *probe) admit(role domain.PeerRole, name, id string) (epoch int64) {
	p.Helper()
	p.write(func(ctx context.Context, tx control.Tx) error {
		a, err := tx.Trust().Admissions().Admit(ctx, domain.Admission{Role: role, Name: name, ID: id})
		if a.Role != role || a.Name != name || a.ID != id || a.Since.IsZero() || a.Revoked() {
			p.Errorf("admitted as %+v", a)
		}
		epoch = a.Epoch
		return err
	})
	return epoch
}

// admitted lists who is, each with epoch and mark.
func (p *probe) admitted() (shown []domain.Admission) {
	p.Helper()
	p.read(func(ctx context.Context, tx control.Tx) (err error) {
		shown, err = tx.Trust().Admissions().List(ctx)
		return err
	})
	return shown
}

func revoke(id string) steps {
	return func(ctx context.Context, tx control.Tx) error { return tx.Trust().Admissions().Revoke(ctx, id) }
}

func admissionEpochs(p *probe) {
	p.same("none", len(p.admitted()), 0)
	p.same("a door", p.admit(domain.PeerDoor, "east", string(first)), int64(1))
	p.same("a host of that name", p.admit(domain.PeerHost, "east", hostA), int64(1))
	p.same("another host", p.admit(domain.PeerHost, "west", hostB), int64(1))
	p.same("the host again", p.admit(domain.PeerHost, "east", hostA), int64(2))
	p.same("its name under another id", p.admit(domain.PeerHost, "east", string(second)), int64(3))
	all := p.admitted()
	p.same("how many", len(all), 3)
	for i, want := range []domain.Admission{
		{Role: domain.PeerHost, Name: "east", ID: string(second), Epoch: 3}, {Role: domain.PeerHost, Name: "west", ID: hostB, Epoch: 1},
		{Role: domain.PeerDoor, Name: "east", ID: string(first), Epoch: 1},
	} {
		want.Since = all[i].Since
		p.same("listed", all[i], want)
	}
	p.refuse(domain.NotFound, "admission-not-found", "", revoke(hostA))
}

func admissionRevoked(p *probe) {
	p.admit(domain.PeerDoor, "east", string(first))
	p.admit(domain.PeerDoor, "west", string(second))
	for range 2 { // once is as good as twice
		p.write(revoke(string(first)))
	}
	all := p.admitted()
	p.same("revoked", []any{all[0].Epoch, all[0].Revoked(), all[1].Epoch, all[1].Revoked()}, []any{2, true, 1, false})
	p.same("joined again", p.admit(domain.PeerDoor, "east", string(first)), int64(3))
	p.same("admitted again", p.admitted()[0].Revoked(), false)
	p.refuse(domain.NotFound, "admission-not-found", "Admission nobody could not be found.", revoke("nobody"))
	p.write(revoke(string(first)))
	p.write(func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Trust().Purge(ctx)
		return err
	})
	p.same("remembered while a certificate of it may be good", len(p.admitted()), 2)
}

// admissionParallel lets many join under one name at once: no two get the same epoch.
func admissionParallel(p *probe) {
	var mu sync.Mutex
	given := map[int64]bool{}
	err := p.together(6, func(ctx context.Context) error {
		var got domain.Admission
		err := p.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
			got, err = tx.Trust().Admissions().Admit(ctx, domain.Admission{Role: domain.PeerHost, Name: "node", ID: hostA})
			return err
		})
		mu.Lock()
		defer mu.Unlock()
		given[got.Epoch] = true
		return err
	})
	if err != nil || len(given) != 6 || !given[6] {
		p.Fatalf("epochs given: %v, %v", given, err)
	}
}
