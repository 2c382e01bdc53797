package node

import (
	"context"
	"sync"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/trust"
)

// bars remember which console doors control told to be admitted no more. A permit says
// that its door was admitted when the terminal was opened; this ends what is open.
type bars struct {
	mu    sync.Mutex
	below map[string]int64 // by door: the epoch below which its certificates are refused
	lines channel.Lines    // of those who dialled this host
}

// hear notes what control told with a beat, and cuts off the doors that it bars. What
// was told before stays, because a replica may be a moment behind another.
func (b *bars) hear(told []*linkv1.BarredDoor) {
	b.mu.Lock()
	if b.below == nil {
		b.below = map[string]int64{}
	}
	for _, bar := range told {
		b.below[bar.GetDoor()] = max(b.below[bar.GetDoor()], bar.GetBelow())
	}
	b.mu.Unlock()
	for _, who := range b.lines.Peers() {
		if b.judge(context.Background(), who) != nil {
			b.lines.Cut(who)
		}
	}
}

// judge refuses a barred door.
func (b *bars) judge(_ context.Context, who trust.Identity) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if who.Role == trust.RoleProxy && who.Epoch < b.below[who.ID] {
		return domain.NewFault(domain.Forbidden, "door-barred", "%s is not admitted any more", who)
	}
	return nil
}
