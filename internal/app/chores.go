package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/link/ctl"
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

// Teardown is zun-allinone teardown: it takes everything of the deployment off this
// host, for good.
func Teardown() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "teardown", short: "Remove all containers, links and rules of this deployment from this host", args: cobra.NoArgs, run: teardown}
}

func teardown(ctx context.Context, c config.Config, log *slog.Logger, _ []string) error {
	return withAuthority(ctx, c, log, func(ctx context.Context, authority *ctl.Authority) error {
		engine, _, err := openEngine(ctx, c, authority.Deployment(), log)
		if err != nil {
			return err
		}
		if p, can := engine.(purger); can {
			err = p.Purge(ctx)
		}
		if m := openMounts(c, authority.Deployment()); m != nil {
			err = errors.Join(err, m.Purge(ctx))
		}
		nets, netsErr := plumb.New(plumb.Options{Deployment: authority.Deployment()}, log)
		if netsErr != nil {
			return errors.Join(err, netsErr)
		}
		// The rules and links go even if the engine is down: they are of no use without it.
		return errors.Join(err, nets.Teardown(ctx), os.RemoveAll(filepath.Join(c.Agent.StateDir, "containers")))
	})
}

// purger is an engine that can remove all that it holds of a deployment.
type purger interface {
	Purge(ctx context.Context) error
}
