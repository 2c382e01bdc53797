package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/term/lobby"
)

// Bounds of one HTTP connection: a client that sends nothing may not hold one for long.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// maxUnasked bounds how many connections are held on which nothing is being dealt with: a
// header that is not finished, or nothing more asked. With half a header each takes 200 KiB,
// and with what is left behind until the next collection all of them take 400 MiB. Who keeps
// a connection for later is seldom one of so many, and opens another if he is.
const maxUnasked = 512

// entrance is the port of the API.
type entrance struct {
	net.Listener
	entered *lobby.Lobby
}

// front is the HTTP server of a process.
type front struct {
	listener net.Listener
	server   *http.Server
	grace    time.Duration
}

// listenFront binds the address at once, so that a port in use is told before
// anything else is started.
func listenFront(ctx context.Context, c config.Config) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.API.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use by another process: stop it, or set [api] host_ip and port", c.API.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", c.API.Listen, err)
	}
	entered := lobby.New(l, maxUnasked)
	if !c.API.TLS {
		return entrance{entered, entered}, nil
	}
	settings, err := serverTLS(c.SSL)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return entrance{tls.NewListener(entered, settings), entered}, nil
}

func serverTLS(c config.SSL) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of [ssl]: %w", err)
	}
	settings := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if c.CAFile == "" {
		return settings, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read ca_file of [ssl]: %w", err)
	}
	settings.ClientCAs = x509.NewCertPool()
	if !settings.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file of [ssl], %s, holds no certificate", c.CAFile)
	}
	settings.ClientAuth = tls.RequireAndVerifyClientCert
	return settings, nil
}

func newFront(l net.Listener, handler http.Handler, grace time.Duration, log *slog.Logger) *front {
	f := &front{listener: l, grace: grace, server: &http.Server{
		Handler: boundBodies(handler, bodyTime, leftoverTime), ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	if at, ok := l.(entrance); ok { // a port for figures alone is not for strangers
		f.server.ConnState = at.entered.NoteLasting
	}
	return f
}

// Run serves until ctx ends; then it lets requests finish for the grace time.
func (f *front) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- f.server.Serve(f.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.grace)
	defer cancel()
	err := f.server.Shutdown(stopping)
	if errors.Is(err, context.DeadlineExceeded) {
		err = f.server.Close() // what has not ended by now is cut
	}
	<-served
	return err
}
