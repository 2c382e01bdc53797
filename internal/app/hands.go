package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/internal/adapter/image/notary"
	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/adapter/topology"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/calls"
	"github.com/go-zun/zun/internal/agent/parcel"
	"github.com/go-zun/zun/internal/agent/steps"
	"github.com/go-zun/zun/internal/agent/stock"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/member"
	"github.com/go-zun/zun/internal/link/node"
)

// linkOfHost makes this host's end of the wire.
func linkOfHost(c config.Config, vault member.Vault, advertise string, controls []string, dial channel.Dialer, log *slog.Logger) (*node.Link, error) {
	return node.New(node.Deps{
		HostName: c.Agent.Host, Zone: c.Defaults.Zone, AdvertiseAddress: advertise, Controls: controls,
		Token: c.Agent.JoinToken, Vault: vault, Dial: dial, Timing: channel.DefaultTiming(),
		Clock: time.Now, Log: log,
	})
}

// runHands serves control on listener, enters the deployment, and runs the agent
// until ctx ends. The order matters: control looks back at the listener while the
// host enters, and the engine's objects are known by the deployment's id.
func runHands(ctx context.Context, c config.Config, link *node.Link, listener net.Listener, w watch) error {
	log := w.log
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return link.Serve(ctx, listener) })
	group.Go(func() error {
		if err := link.Enter(ctx); err != nil {
			return err
		}
		engine, keeper, err := openEngine(ctx, c, link.Deployment(), log)
		if err != nil {
			return err
		}
		images, err := newStock(c, engine, link.Deployment(), w)
		if err != nil {
			return err
		}
		a, err := newAgent(c, engine, images, link, log)
		if err != nil {
			return err
		}
		direct := calls.New(a, parcel.Room{Dir: c.Agent.StateDir})
		link.Attach(node.Hands{
			Wake: a.Wake, Calls: direct, Terminals: direct.Terminals(), Archives: direct.Archives(), Images: images,
		})
		group.Go(func() error { return w.outlive(ctx, link.Run(ctx)) })
		group.Go(func() error { return keeper(ctx) })
		group.Go(func() error { return images.Run(ctx, a.Images) })
		return a.Run(ctx)
	})
	return group.Wait()
}

// watch is how what a process does is seen from outside.
type watch struct {
	log   *slog.Logger
	meter stock.Meter
	// alone says that the process is more than its host's agent, and goes on when an
	// operator takes the host out of the fleet.
	alone bool
}

// outlive returns err, or waits for the end of ctx where the host's removal ends nothing else.
func (w watch) outlive(ctx context.Context, err error) error {
	if !w.alone || !domain.IsKind(err, domain.Unauthenticated) {
		return err
	}
	w.log.ErrorContext(ctx, "this host is out of the fleet until the next start", "reason", domain.AsFault(err).Message)
	<-ctx.Done()
	return nil
}

// newStock opens what is known of the images that the deployment pulled to this host.
func newStock(c config.Config, engine agent.Engine, deployment string, w watch) (*stock.Stock, error) {
	if err := os.MkdirAll(c.Agent.StateDir, 0o750); err != nil {
		return nil, fmt.Errorf("make the agent's directory: %w", err)
	}
	cache := c.ImageCache
	signatures := notary.New(notary.Options{Plain: c.ImagePolicy.PlainRegistries, CertificatesDir: c.ImagePolicy.CertificatesDir})
	return stock.New(stock.Deps{
		Engine: engine, Notary: signatures, Path: filepath.Join(c.Agent.StateDir, "images-"+deployment+".json"), Meter: w.meter, Clock: utc, Log: w.log,
		Rules: stock.Rules{
			Remove: cache.Remove, Every: cache.Interval, UnusedAge: cache.UnusedAge, Grace: cache.Grace,
			High: cache.HighWatermark, Low: cache.LowWatermark, PublicFor: cache.PublicFor,
		},
	})
}

// newAgent makes the agent of the deployment that link has entered.
func newAgent(c config.Config, engine agent.Engine, images *stock.Stock, link *node.Link, log *slog.Logger) (*agent.Agent, error) {
	nets, err := plumb.New(plumb.Options{Deployment: link.Deployment()}, log)
	if err != nil {
		return nil, err
	}
	state := filepath.Join(c.Agent.StateDir, "containers")
	if err := os.MkdirAll(state, 0o711); err != nil {
		return nil, fmt.Errorf("make the agent's directory: %w", err)
	}
	machine, err := readMachine(c.Compute, log)
	if err != nil {
		return nil, err
	}
	var mounts agent.Mounts // stays nil where there are none: a nil of another type would not be
	if m := openMounts(c, link.Deployment()); m != nil {
		mounts = m
	}
	return agent.New(agent.Deps{
		Engine: engine, Nets: nets, Mounts: mounts, Control: link.Control(),
		Steps: steps.New(steps.Deps{Engine: engine, Images: images, Nets: nets, Mounts: mounts, CPUs: machine.CPUs, StateDir: state}),
		Clock: agent.SystemClock(), Log: log,
		Options: agent.Options{
			HostID: link.HostID(), BootID: bootID(), ImageDiskShare: c.Compute.ImageDiskShare, CPUs: machine.CPUs, MemoryNodes: machine.Nodes,
			Abilities: []string{domain.AbilityMounts, domain.AbilityVolumes, domain.AbilityGroups, domain.AbilitySignatures, domain.AbilityCPUs},
		},
	}), nil
}

// readMachine returns the CPUs of this host, and by memory node those that may be
// dedicated, which are none where the operator does not want it. A kernel that does not
// tell is one on which nothing is dedicated.
func readMachine(c config.Compute, log *slog.Logger) (topology.Machine, error) {
	machine, err := topology.Read(topology.Sysfs)
	if err != nil {
		if c.Pinning {
			return machine, fmt.Errorf("[compute] enable_cpu_pinning: %w", err)
		}
		log.Debug("the CPUs of the host cannot be told", "error", err)
		return machine, nil
	}
	dedicable, err := machine.Dedicable(c.FloatingCPUs)
	if err != nil {
		return machine, fmt.Errorf("[DEFAULT] floating_cpu_set: %w", err)
	}
	if machine.Nodes = nil; c.Pinning {
		machine.Nodes = dedicable
	}
	return machine, nil
}

// bootID changes whenever the machine boots; empty where the kernel does not tell.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
