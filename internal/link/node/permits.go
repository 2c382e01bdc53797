package node

import (
	"context"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/trust"
)

// permits remembers the permits that were used, until their time is over anyway.
type permits struct {
	mu    sync.Mutex
	spent map[string]time.Time // by nonce
}

func newPermits() *permits { return &permits{spent: map[string]time.Time{}} }

// spend marks p as used; false if it was before.
func (s *permits) spend(p trust.Permit, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nonce, expires := range s.spent {
		if !now.Before(expires) {
			delete(s.spent, nonce)
		}
	}
	if _, used := s.spent[string(p.Nonce)]; used {
		return false
	}
	s.spent[string(p.Nonce)] = p.Expires
	return true
}

// checkPermit lets control pass and a console door only with control's permit for
// this one terminal, which it uses up.
func (l *Link) checkPermit(ctx context.Context, join *linkv1.TerminalJoin) error {
	who := channel.Caller(ctx)
	if who.Role == trust.RoleControl {
		return nil
	}
	held, err := l.member.Credential()
	if err != nil {
		return err
	}
	p, err := held.ReadPermit(join.GetPermit(), l.now())
	if err != nil {
		return err
	}
	if p.Door != who.ID || p.Epoch != who.Epoch || p.Host != l.HostID() || p.Container != join.GetContainer() || p.ExecID != join.GetExecId() || !l.permits.spend(p, l.now()) {
		return domain.NewFault(domain.Forbidden, "permit-refused", "the permit is for another terminal, host or console door, or was used")
	}
	return nil
}
