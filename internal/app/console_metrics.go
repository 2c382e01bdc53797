package app

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
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
