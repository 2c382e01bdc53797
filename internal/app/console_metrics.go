package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/go-zun/zun/internal/config"
)

// consoleMetrics are the figures of a console door. They implement term.Meter.
type consoleMetrics struct {
	open          prometheus.Gauge
	refused, ends *prometheus.CounterVec
}

func newConsoleMetrics(registry *prometheus.Registry) *consoleMetrics {
	m := &consoleMetrics{
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "zun_consoles", Help: "Consoles that are open at this door."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zun_consoles_refused_total", Help: "Requests for a console that were refused, by the status of the answer.",
		}, []string{"code"}),
		ends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zun_consoles_ended_total", Help: "Consoles that ended, by who or what ended them.",
		}, []string{"by"}),
	}
	registry.MustRegister(m.open, m.refused, m.ends)
	return m
}

// Refused implements term.Meter.
func (m *consoleMetrics) Refused(status int) { m.refused.WithLabelValues(strconv.Itoa(status)).Inc() }

// Opened implements term.Meter.
func (m *consoleMetrics) Opened() { m.open.Inc() }

// Closed implements term.Meter.
func (m *consoleMetrics) Closed(by string) {
	m.open.Dec()
	m.ends.WithLabelValues(by).Inc()
}

// figurePort is the port at which zun-wsproxy tells its figures. It is none of the users':
// theirs is open to the world.
type figurePort struct {
	listener net.Listener // nil: nobody asked for one
	registry *prometheus.Registry
	consoles *consoleMetrics
}

// newFigurePort binds the port at once, so that one in use is told before a door joins.
func newFigurePort(ctx context.Context, c config.WebSocket) (*figurePort, error) {
	f := &figurePort{registry: prometheus.NewRegistry()}
	f.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f.consoles = newConsoleMetrics(f.registry)
	if c.Metrics == "" {
		return f, nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("listen on [websocket_proxy] metrics_address: %w", err)
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
