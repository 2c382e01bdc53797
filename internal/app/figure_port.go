package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/go-zun/zun/internal/config"
)

// figurePort is the port at which a process without an API tells its figures. It is none of
// those that users or control come to.
type figurePort struct {
	listener net.Listener // nil: nobody asked for one
	registry *prometheus.Registry
}

// newFigurePort binds address, which option gave, at once, so that one in use is told
// before the process joins anything; an empty address is no port.
func newFigurePort(ctx context.Context, address, option string) (*figurePort, error) {
	f := &figurePort{registry: prometheus.NewRegistry()}
	f.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if address == "" {
		return f, nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", option, err)
	}
	f.listener = l
	return f, nil
}

// run serves GET /metrics until ctx ends.
func (f *figurePort) run(ctx context.Context, c config.Config, log *slog.Logger) error {
	if f.listener == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{}))
	return newFront(f.listener, mux, c.API.StopTimeout, log).Run(ctx)
}

// close frees the port of figures that never ran.
func (f *figurePort) close() {
	if f.listener != nil {
		_ = f.listener.Close()
	}
}
