package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/proxy"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/term/lobby"
	"github.com/go-zun/zun/internal/term/porch"
	"github.com/go-zun/zun/internal/term/turnstile"
)

// ConsoleProxy runs a console door of its own until ctx ends. It knows no database
// and no user: control redeems tickets for it, and hosts let it in by permit.
func ConsoleProxy(ctx context.Context, c config.Config, log *slog.Logger) error {
	settings, err := consoleTLS(c.WebSocket)
	if err != nil {
		return err
	}
	listener, err := listenConsoles(ctx, c.WebSocket.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	figures, err := newFigurePort(ctx, c.WebSocket.Metrics, "[websocket_proxy] metrics_address")
	if err != nil {
		return err
	}
	defer figures.close()
	if err := os.MkdirAll(c.WebSocket.StateDir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the door's keys: %w", err)
	}
	link, err := proxy.New(proxy.Deps{
		Name: c.WebSocket.Name, Controls: c.WebSocket.Controls, Token: c.WebSocket.JoinToken,
		Vault: trust.NewVault(c.WebSocket.StateDir), Dial: channel.TCP(), Timing: channel.DefaultTiming(), Clock: time.Now, Log: log,
	})
	if err != nil {
		return err
	}
	defer link.Close()
	if err := link.Join(ctx); err != nil {
		return err
	}
	door, err := newConsole(c, link, newConsoleMetrics(figures.registry), log)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "serving", "address", c.WebSocket.Listen, "url", c.WebSocket.BaseURL)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return link.Run(ctx) })
	group.Go(func() error { return door.Run(ctx) })
	group.Go(func() error { return figures.run(ctx, c, log) })
	group.Go(func() error {
		return serveConsoles(ctx, listener, settings, func(l net.Listener) *front { return newConsoleFront(l, door, c.API.StopTimeout, log) })
	})
	return group.Wait()
}

// Of those who come to the door, so many for each processor are dealt with at once, and
// so long one of them counts who says nothing: the keys of open consoles pass between.
const (
	freshPerProcessor = 16
	freshFor          = 50 * time.Millisecond
)

// maxKnockBytes bounds the header of who asks for a console, cookies of a dashboard on the
// same host included: strangers by the thousand may each leave one unfinished.
const maxKnockBytes = 16 << 10

// maxUnserved bounds how many connections without a console are held at once. With half of
// a header over TLS each takes an eighth of a MiB at its worst, what it leaves behind
// included: all of them less than 40 MiB. At half a second for each, as to one far away, five
// hundred users in a second come through, as when a dashboard's all come back at once.
const maxUnserved = 256

func newConsoleFront(l net.Listener, door http.Handler, grace time.Duration, log *slog.Logger) *front {
	f := newFront(l, door, grace, log)
	f.server.MaxHeaderBytes = maxKnockBytes
	f.server.DisableGeneralOptionsHandler = true // its answer to OPTIONS * does not hang up
	return f
}

func listenConsoles(ctx context.Context, address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1} // the door pings its users by itself
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for consoles on [websocket_proxy] wsproxy_host and wsproxy_port: %w", err)
	}
	return turnstile.New(l, freshPerProcessor*runtime.GOMAXPROCS(0), freshFor), nil
}

// consoleTLS reads the door's certificate; nil if it has none.
func consoleTLS(c config.WebSocket) (*tls.Config, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read [websocket_proxy] cert and key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

// serveConsoles serves l until ctx ends. With a certificate the one port takes plain
// and encrypted connections, as the original's does; the door itself refuses plain
// ones where ssl_only is set, so that the answer says why.
func serveConsoles(ctx context.Context, l net.Listener, settings *tls.Config, open func(l net.Listener) *front) error {
	entered := lobby.New(l, maxUnserved)
	serve := func(l net.Listener) *front {
		f := open(l)
		f.server.ConnState = entered.Note
		return f
	}
	if settings == nil {
		return serve(entered).Run(ctx)
	}
	entrance := porch.New(entered, settings)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return entrance.Run(ctx) })
	group.Go(func() error { return serve(entrance.Plain()).Run(ctx) })
	group.Go(func() error { return serve(entrance.Encrypted()).Run(ctx) })
	return group.Wait()
}

// DoorToken is zun-api door-token: a join token for one console door, printed.
func DoorToken() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "door-token NAME", short: "Print a token with which a zun-wsproxy may join once, within an hour", args: cobra.ExactArgs(1), run: printDoorToken}
}
