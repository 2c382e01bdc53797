package control

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/go-zun/zun/internal/control/chance"
	"github.com/go-zun/zun/internal/control/hints"
	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what Control stands on. Every field but Groups, Volumes and ImageRules is required.
type Deps struct {
	Store      Store
	Networking Networking
	Groups     Groups     // nil: the network service has no security groups
	Volumes    Volumes    // nil: there is no volume service
	ImageRules ImageRules // nil: nothing is demanded of images
	Nodes      Nodes
	Clock      func() time.Time
	Rand       io.Reader // ids, tickets, generated names and tie-breaks; crypto/rand.Reader in production
	Log        *slog.Logger
	Options    Options
}

// Control carries out the use cases. It keeps no state but hints: any number of
// replicas may work on one store.
type Control struct {
	store      Store
	networking Networking
	groups     Groups
	volumes    Volumes
	imageRules ImageRules
	nodes      Nodes
	clock      func() time.Time
	rand       chance.Dice
	log        *slog.Logger
	options    Options
	picker     place.Picker
	bells      hints.Bells
	waiters    *hints.Waiters
	roster     *place.Roster
}

// New returns the use cases over d.
func New(d Deps) *Control {
	c := &Control{
		store: d.Store, networking: d.Networking, groups: d.Groups, volumes: d.Volumes, imageRules: d.ImageRules, nodes: d.Nodes,
		clock: d.Clock, rand: chance.New(d.Rand), log: d.Log, options: d.Options,
		bells: hints.NewBells(), waiters: hints.NewWaiters(), roster: &place.Roster{},
	}
	c.picker, _ = d.Options.Placing.Picker(c.rand.Below) // with a filter that is unknown it asks all
	return c
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

// Ping says whether the service can work: it asks the database.
func (c *Control) Ping(ctx context.Context) error { return c.store.Ping(ctx) }

// Everything is the scope of the service itself: all projects, all kinds.
func Everything() Scope {
	return Scope{AllProjects: true, Kinds: []domain.ContainerKind{
		domain.KindContainer, domain.KindCapsule, domain.KindMember, domain.KindInit,
	}}
}
