package app

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the figures of one process, in its own registry.
type metrics struct {
	registry *prometheus.Registry
	steps    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	requests *prometheus.HistogramVec
	follow   *followMetrics
}

// fastBuckets fit calls that end between a millisecond and a minute.
func fastBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zun_loop_items_total", Help: "Items that a background job dealt with, by job and result.",
		}, []string{"job", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "zun_loop_step_seconds", Help: "Time of one step of a background job.", Buckets: fastBuckets(),
		}, []string{"job"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "zun_http_request_seconds", Help: "Time of API requests, by method and status.", Buckets: fastBuckets(),
		}, []string{"method", "code"}),
	}
	m.follow = newFollowMetrics(m.registry)
	m.registry.MustRegister(m.steps, m.seconds, m.requests,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Count implements loops.Meter.
func (m *metrics) Count(job, name string, n int) { m.steps.WithLabelValues(job, name).Add(float64(n)) }

// Observe implements loops.Meter.
func (m *metrics) Observe(job string, seconds float64) {
	m.seconds.WithLabelValues(job).Observe(seconds)
}

// handler serves the figures to Prometheus.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// measured counts what next answers.
func (m *metrics) measured(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerDuration(m.requests, next)
}
