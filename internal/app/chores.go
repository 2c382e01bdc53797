package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/link/ctl"
	"github.com/go-zun/zun/internal/link/trust"
)

// choreBound ends a chore that hangs.
const choreBound = 2 * time.Minute

// HostToken is zun-api host-token: a join token for one host, printed.
func HostToken() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "host-token HOST", short: "Print a token with which a host may join once, within an hour", args: cobra.ExactArgs(1), run: printHostToken}
}

func printHostToken(ctx context.Context, c config.Config, log *slog.Logger, args []string) error {
	return printToken(ctx, c, log, func(ctx context.Context, a *ctl.Authority) (string, error) { return a.Token(ctx, args[0]) })
}

func printDoorToken(ctx context.Context, c config.Config, log *slog.Logger, args []string) error {
	return printToken(ctx, c, log, func(ctx context.Context, a *ctl.Authority) (string, error) { return a.DoorToken(ctx, args[0]) })
}

func printToken(ctx context.Context, c config.Config, log *slog.Logger, issue func(context.Context, *ctl.Authority) (string, error)) error {
	return withAuthority(ctx, c, log, func(ctx context.Context, authority *ctl.Authority) error {
		token, err := issue(ctx, authority)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(os.Stdout, token)
		return err
	})
}

// withAuthority runs fn, for at most choreBound, with the authority of the deployment,
// whose database is open meanwhile.
func withAuthority(ctx context.Context, c config.Config, log *slog.Logger, fn func(context.Context, *ctl.Authority) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, choreBound)
	defer cancel()
	store, err := openStore(ctx, c, log, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	authority, _, err := openAuthority(ctx, c, store)
	if err != nil {
		return err
	}
	return fn(ctx, authority)
}

const teardownShort = "Remove all containers, links and rules of this deployment from this host"

// Teardown is zun-allinone teardown: it takes everything of the deployment off this
// host, for good.
func Teardown() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "teardown", short: teardownShort, args: cobra.NoArgs, run: func(ctx context.Context, c config.Config, log *slog.Logger, _ []string) error {
		return withAuthority(ctx, c, log, func(ctx context.Context, authority *ctl.Authority) error {
			return takeOff(ctx, c, authority.Deployment(), log)
		})
	}}
}

// Leave is zun-compute teardown: the same for a host that leaves its deployment, which it
// knows by its certificate; that goes last.
func Leave() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "teardown", short: teardownShort, args: cobra.NoArgs, run: func(ctx context.Context, c config.Config, log *slog.Logger, _ []string) error {
		ctx, cancel := context.WithTimeout(ctx, choreBound)
		defer cancel()
		own, err := trust.NewVault(hostKeys(c)).Load()
		if err != nil {
			return err
		}
		if own == nil {
			return fmt.Errorf("%s holds no certificate: this host joined no deployment, or left it", hostKeys(c))
		}
		free, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Agent.Listen)
		if err != nil {
			return fmt.Errorf("the agent of this host still runs, or something else is at [agent] listen: %w", err)
		}
		defer func() { _ = free.Close() }()
		if err := takeOff(ctx, c, own.Identity.Deployment, log); err != nil {
			return err
		}
		return os.RemoveAll(hostKeys(c))
	}}
}

// takeOff removes what this host has of the deployment.
func takeOff(ctx context.Context, c config.Config, deployment string, log *slog.Logger) error {
	engine, _, err := openEngine(ctx, c, deployment, log)
	if err != nil {
		return err
	}
	if p, can := engine.(purger); can {
		err = p.Purge(ctx)
	}
	if m := openMounts(c, deployment); m != nil {
		err = errors.Join(err, m.Purge(ctx))
	}
	nets, netsErr := plumb.New(plumb.Options{Deployment: deployment}, log)
	if netsErr != nil {
		return errors.Join(err, netsErr)
	}
	// The rules and links go even if the engine is down: they are of no use without it.
	return errors.Join(err, nets.Teardown(ctx), os.RemoveAll(filepath.Join(c.Agent.StateDir, "containers")))
}

// purger is an engine that can remove all that it holds of a deployment.
type purger interface {
	Purge(ctx context.Context) error
}
