package control

import (
	"context"
	"io"

	"github.com/go-zun/zun/internal/control/chance"
	"github.com/go-zun/zun/internal/control/hints"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what Control stands on. Every field but ImageRules is required.
type Deps struct {
	Store      Store
	ImageRules ImageRules // nil: nothing is demanded of images
	Nodes      Nodes
	Rand       io.Reader // ids, tickets, generated names and tie-breaks; crypto/rand.Reader in production
	Options    Options
}

// Control is what use cases are carried out with. It keeps no state but hints: any number of
// replicas may work on one store.
type Control struct {
	store      Store
	imageRules ImageRules
	nodes      Nodes
	rand       chance.Dice
	options    Options
	bells      hints.Bells
	waiters    *hints.Waiters
}

// New returns the control over d.
func New(d Deps) *Control {
	return &Control{
		store: d.Store, imageRules: d.ImageRules, nodes: d.Nodes, rand: chance.New(d.Rand), options: d.Options,
		bells: hints.NewBells(), waiters: hints.NewWaiters(),
	}
}

// Bells are rung by the use cases when a loop of this process has work.
func (c *Control) Bells() hints.Bells { return c.bells }

// Options returns the settings that the use cases work with.
func (c *Control) Options() Options { return c.options }

// Dice returns the source of what is random, for the use cases in other rooms.
func (c *Control) Dice() chance.Dice { return c.rand }

// Itself is the actor for what no user asked; its request id is new.
func (c *Control) Itself() (domain.Actor, error) {
	id, err := c.rand.UUID()
	return domain.SystemActor("req-" + id), err
}

// Look runs fn in one read transaction.
func (c *Control) Look(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return c.store.Read(ctx, fn)
}

// Glance runs fn in one transaction of those who only show containers.
func (c *Control) Glance(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return c.store.Glance(ctx, fn)
}

// Ping says whether the service can work: it asks the database.
func (c *Control) Ping(ctx context.Context) error { return c.store.Ping(ctx) }

// Everything is the scope of the service itself: all projects, all kinds.
func Everything() Scope {
	return Scope{AllProjects: true, Kinds: []domain.ContainerKind{
		domain.KindContainer, domain.KindCapsule, domain.KindMember, domain.KindInit,
	}}
}
