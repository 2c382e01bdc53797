package calls

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

// Follow tells sink of the container's output until the container ends. It is
// Unavailable when this agent ends first: the follower comes back with its cursor.
func (c *Calls) Follow(ctx context.Context, id domain.ContainerID, q domain.FollowQuery, sink journal.Sink) error {
	able, ok := c.agent.Engine().(agent.Journaler)
	if !ok {
		return domain.NewFault(domain.Unsupported, "unsupported", "this host's engine cannot follow logs")
	}
	return journal.Follow(ctx, &followed{agent: c.agent, able: able, id: id}, q, c.agent.PauseAwake, sink)
}

// followed is a container as its followers see it.
type followed struct {
	agent  *agent.Agent
	able   agent.Journaler
	id     domain.ContainerID
	member agent.Object
}

// Look implements journal.Source. It asks the engine only for what the ledger does not
// know for sure, because every follower looks several times in a second.
func (f *followed) Look(ctx context.Context) (journal.Member, error) {
	o, known := f.agent.FreshMember(f.id)
	if !known {
		var err error
		if o, err = f.agent.AskMember(ctx, f.id); err != nil {
			return journal.Member{}, err
		}
	}
	f.member = o
	if o.State.StartedAt.IsZero() {
		return journal.Member{}, nil
	}
	return journal.Member{Log: o.EngineID, Alive: o.PID != 0, ExitCode: o.State.ExitCode}, nil
}

// Open implements journal.Source.
func (f *followed) Open(ctx context.Context) (journal.Reader, error) {
	return f.able.OpenJournal(ctx, f.member)
}
