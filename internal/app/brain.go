package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/adapter/image/rules"
	"github.com/go-zun/zun/internal/adapter/seal"
	sqlstore "github.com/go-zun/zun/internal/adapter/store/sql"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/books"
	"github.com/go-zun/zun/internal/control/capsule"
	"github.com/go-zun/zun/internal/control/containers"
	"github.com/go-zun/zun/internal/control/fleet"
	"github.com/go-zun/zun/internal/control/insides"
	"github.com/go-zun/zun/internal/control/loops"
	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/control/snapshots"
	"github.com/go-zun/zun/internal/control/stock"
	"github.com/go-zun/zun/internal/control/wiring"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/ctl"
)

// brain is the control side of a process: use cases, loops and the agents' door.
type brain struct {
	store      *sqlstore.Store
	authority  *ctl.Authority
	nodes      *ctl.Nodes
	control    *control.Control
	containers *containers.Containers
	fleet      *fleet.Fleet
	insides    *insides.Insides
	wiring     *wiring.Wiring
	books      *books.Books
	capsules   *capsule.Capsules
	stock      *stock.Stock
	snapshots  *snapshots.Snapshots
	networks   control.NetworkBook // nil where another service owns the networks
	loops      *loops.Loops
	link       *ctl.Server
	stopping   <-chan struct{} // closed when the process is asked to end
}

// agentsBrain is what agents and console doors talk to.
type agentsBrain struct {
	*fleet.Fleet
	*insides.Insides
}

func utc() time.Time { return time.Now().UTC() }

// openStore opens the database and refuses one whose schema does not fit; migrate
// brings it up instead, which only the all-in-one does by itself.
func openStore(ctx context.Context, c config.Config, log *slog.Logger, migrate bool) (*sqlstore.Store, error) {
	if err := os.MkdirAll(c.StatePath, 0o750); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	store, err := sqlstore.Open(ctx, sqlstore.Options{DSN: c.Database.Connection, MaxConns: c.Database.MaxConns, Log: log})
	if err != nil {
		return nil, err
	}
	if migrate {
		err = store.Migrate(ctx, sqlstore.Latest)
	} else {
		err = store.Check(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// openAuthority opens what the deployment's trust rests on.
func openAuthority(ctx context.Context, c config.Config, store *sqlstore.Store) (*ctl.Authority, *seal.Sealer, error) {
	secrets, err := seal.Open(c.Secrets.KeyFile, true)
	if err != nil {
		return nil, nil, err
	}
	authority, err := ctl.OpenAuthority(ctx, store, secrets, time.Now)
	return authority, secrets, err
}

// newBrain puts the control side together over an open store. dial reaches the agents.
func newBrain(ctx context.Context, c config.Config, log *slog.Logger, store *sqlstore.Store, dial channel.Dialer, m *metrics) (*brain, error) {
	authority, secrets, err := openAuthority(ctx, c, store)
	if err != nil {
		return nil, err
	}
	networking, groups, err := newNetworking(c, store, authority.Deployment(), log)
	if err != nil {
		return nil, err
	}
	options, err := controlOptions(c)
	if err != nil {
		return nil, err
	}
	volumes := newVolumes(c)
	demands, err := rules.Open(c.ImagePolicy.File, log)
	if err != nil {
		return nil, err
	}
	timing := channel.DefaultTiming()
	b := &brain{store: store, authority: authority, stopping: ctx.Done()}
	b.nodes = ctl.NewNodes(ctl.NodesDeps{Authority: authority, Dial: dial, Timing: timing, Log: log})
	b.control = control.New(control.Deps{
		Store: store, ImageRules: demands, Nodes: b.nodes, Rand: rand.Reader, Options: options,
	})
	chooser := placing.New(placing.Deps{Control: b.control, Clock: utc, Log: log})
	b.containers = containers.New(containers.Deps{
		Control: b.control, Placing: chooser, Networking: networking, Groups: groups, Volumes: volumes, Log: log,
	})
	if book, owns := networking.(control.NetworkBook); owns {
		b.networks = book
	}
	b.fleet = fleet.New(fleet.Deps{Control: b.control, Networking: networking, Secrets: secrets, Clock: utc, Log: log})
	b.insides = insides.New(insides.Deps{Control: b.control, Nodes: b.nodes})
	b.wiring = wiring.New(wiring.Deps{Control: b.control, Networking: networking, Groups: groups})
	b.books = books.New(books.Deps{Control: b.control, Secrets: secrets})
	b.capsules = capsule.New(capsule.Deps{Control: b.control, Networking: networking})
	b.stock = stock.New(stock.Deps{Control: b.control, Fleet: b.fleet, Nodes: b.nodes, Log: log})
	b.snapshots = snapshots.New(b.control, c.Quota.Images)
	b.loops = loops.New(loops.Deps{
		Control: b.control, Placing: chooser, Fleet: b.fleet, Networking: networking, Groups: groups, Volumes: volumes, Nodes: b.nodes,
		Meter: m, Log: log, Owner: uuid.NewString(),
	})
	b.link = ctl.NewServer(ctl.ServerDeps{
		Brain: agentsBrain{b.fleet, b.insides}, Authority: authority, DownAfter: c.Deadlines.HostDown, Dial: dial, Timing: timing, Log: log,
	})
	return b, nil
}

func controlOptions(c config.Config) (control.Options, error) {
	o := control.DefaultOptions()
	o.Placing = place.Options{Enabled: append([]string{}, c.Scheduler.Filters...), Random: c.Scheduler.Random, Weights: &place.Weights{
		CPU: c.Scheduler.CPUWeight, RAM: c.Scheduler.MemoryWeight, SoftAffinity: c.Scheduler.NearWeight, SoftAntiAffinity: c.Scheduler.ApartWeight,
	}}
	if _, err := o.Placing.Picker(nil); err != nil {
		return o, fmt.Errorf("[scheduler] enabled_filters: %w", err)
	}
	o.DefaultCPU, o.DefaultMemoryMB, o.DefaultDiskGB = c.Defaults.CPU, c.Defaults.MemoryMB, c.Defaults.DiskGB
	o.DefaultImageDriver, o.DefaultZone, o.ScheduleZone = c.Defaults.ImageDriver, c.Defaults.Zone, c.Defaults.ScheduleZone
	o.NameScope = control.NameScope(c.Compute.UniqueNames)
	o.DefaultRegistry = domain.PullSecret{Domain: c.Registries.Default, Username: c.Registries.Username, Password: c.Registries.Password}
	o.ConsoleURL = c.WebSocket.BaseURL
	o.ConsolesPerContainer, o.ConsolesPerProject = c.WebSocket.PerContainer, c.WebSocket.PerProject
	o.Quota = domain.Quota{Containers: c.Quota.Containers, CPU: c.Quota.CPU, MemoryMB: c.Quota.MemoryMB, DiskGB: c.Quota.DiskGB}
	o.Feed = c.API.Extensions
	o.QuotaOff = !c.Quota.Enforced
	o.Ratios = place.Ratios{
		CPU: c.Compute.CPURatio, RAM: c.Compute.MemoryRatio, Disk: c.Compute.DiskRatio,
		ReservedCPUs: c.Compute.ReservedCPUs, ReservedMemoryMB: c.Compute.ReservedMemoryMB,
		ReservedDiskGB: (c.Compute.ReservedDiskMB + 1023) / 1024,
	}
	o.ServiceDownTime, o.BeatInterval = c.Deadlines.HostDown, c.Deadlines.LongestBeat
	o.ExecuteTimeout, o.ResponseTimeout = c.Docker.ExecTimeout, c.API.ReplyTimeout
	o.ActionSilence, o.ActionTotal = c.Deadlines.Silence, c.Deadlines.Total
	return o, nil
}

// runLoops runs the background jobs until ctx ends.
func (b *brain) runLoops(ctx context.Context) error {
	b.loops.Run(ctx)
	return nil
}

// serveAgents answers the agents on l until ctx ends.
func (b *brain) serveAgents(ctx context.Context, l net.Listener) error { return b.link.Serve(ctx, l) }

// close ends the connections to agents, then the database.
func (b *brain) close() error {
	b.nodes.Close()
	if err := b.store.Close(); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}
