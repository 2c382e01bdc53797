package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-zun/zun/internal/adapter/engine/docker"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/adapter/network/local"
	volumes "github.com/go-zun/zun/internal/adapter/volume/local"
	"github.com/go-zun/zun/internal/adapter/volume/mount"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/control"
)

// keeper is the background work of an engine; it returns when its context ends.
type keeper func(ctx context.Context) error

// openers is the table of [engine] driver.
func openers() map[string]func(ctx context.Context, c config.Config, deployment string, log *slog.Logger) (agent.Engine, keeper, error) {
	return map[string]func(ctx context.Context, c config.Config, deployment string, log *slog.Logger) (agent.Engine, keeper, error){
		"docker": openDocker,
		"fake":   openFake,
	}
}

func openEngine(ctx context.Context, c config.Config, deployment string, log *slog.Logger) (agent.Engine, keeper, error) {
	open, known := openers()[c.Engine.Driver]
	if !known {
		return nil, nil, fmt.Errorf("[engine] driver %q is unknown: use one of %s", c.Engine.Driver, strings.Join(slices.Sorted(maps.Keys(openers())), ", "))
	}
	return open(ctx, c, deployment, log)
}

func openDocker(_ context.Context, c config.Config, deployment string, log *slog.Logger) (agent.Engine, keeper, error) {
	e, err := docker.New(docker.Options{
		Host: c.Docker.URL, Deployment: deployment, ReadySandboxes: c.Engine.ReadySandboxes,
		CAFile: c.Docker.CAFile, CertFile: c.Docker.CertFile, KeyFile: c.Docker.KeyFile,
		Insecure: c.Docker.Insecure, Runtime: c.Defaults.Runtime,
		PIDsLimit: c.Engine.PIDsLimit, LogMaxBytes: c.Engine.LogMaxBytes, MemorySwapMB: c.Defaults.MemorySwapMB, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	return e, e.Run, nil
}

func openFake(_ context.Context, c config.Config, deployment string, _ *slog.Logger) (agent.Engine, keeper, error) {
	e, err := fake.New(fake.Options{Dir: filepath.Join(c.Agent.StateDir, "fake-"+deployment), Namespaces: true})
	if err != nil {
		return nil, nil, err
	}
	return e, func(ctx context.Context) error { <-ctx.Done(); return nil }, nil
}

// newNetworking is the network service of the deployment.
//
// Its security groups are nil where the operator switched them off.
func newNetworking(c config.Config, store control.Store, deployment string, log *slog.Logger) (control.Networking, control.Groups, error) {
	o := local.Options{Deployment: deployment, DNS: c.Local.DNS, IPv4Only: len(c.Local.IPv6Pool) == 0}
	if len(c.Local.IPv4Pool) > 0 {
		o.Pool4 = c.Local.IPv4Pool[0]
	}
	if len(c.Local.IPv6Pool) > 0 {
		o.Pool6 = c.Local.IPv6Pool[0]
	}
	if !c.Local.Groups {
		networking, err := local.New(store, o, log)
		return networking, nil, err
	}
	groups, err := local.OpenGroups(c.Local.GroupsFile, log)
	if err != nil {
		return nil, nil, err
	}
	o.Groups = groups
	networking, err := local.New(store, o, log)
	return networking, groups, err
}

// newVolumes is the volume service of the deployment, nil if no provider is enabled.
func newVolumes(c config.Config) control.Volumes {
	if !c.Volume.Local {
		return nil
	}
	return volumes.New(c.Bounds.MaxDiskGB)
}

// openMounts makes volumes on this host, nil if the operator does not want it.
func openMounts(c config.Config, deployment string) *mount.Mounts {
	if !c.Volume.Local {
		return nil
	}
	return mount.New(mount.Options{Dir: c.Volume.Dir, Deployment: deployment, FSType: c.Volume.FSType})
}
