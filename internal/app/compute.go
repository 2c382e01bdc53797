package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/trust"
)

// Compute runs the agent of this host until ctx ends.
func Compute(ctx context.Context, c config.Config, log *slog.Logger) error {
	if os.Geteuid() != 0 {
		return errors.New("the agent must run as root: it makes network namespaces, links and mounts")
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", c.Agent.Listen)
	if err != nil {
		return fmt.Errorf("listen for control on [agent] listen: %w", err)
	}
	defer func() { _ = listener.Close() }()
	figures, err := newFigurePort(ctx, c.Agent.Metrics, "[agent] metrics_address")
	if err != nil {
		return err
	}
	defer figures.close()
	keys := hostKeys(c)
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return fmt.Errorf("make the directory of the host's keys: %w", err)
	}
	link, err := linkOfHost(c, trust.NewVault(keys), c.Agent.AdvertiseAddress, c.Agent.Controls, channel.TCP(), log)
	if err != nil {
		return err
	}
	defer link.Close()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return figures.run(ctx, c, log) })
	group.Go(func() error {
		return runHands(ctx, c, link, listener, watch{log: log, meter: newImageFigures(figures.registry)})
	})
	return group.Wait()
}

// hostKeys is the directory of what makes this host one of a deployment.
func hostKeys(c config.Config) string { return filepath.Join(c.Agent.StateDir, "trust") }
