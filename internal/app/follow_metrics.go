package app

import "github.com/prometheus/client_golang/prometheus"

// followMetrics are the figures of followed logs. They implement follow.Meter.
type followMetrics struct {
	open                 prometheus.Gauge
	records, bytes, gaps prometheus.Counter
	ends                 *prometheus.CounterVec
}

func newFollowMetrics(registry *prometheus.Registry) *followMetrics {
	count := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &followMetrics{
		open:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "zun_log_followers", Help: "Followed logs that are open."}),
		records: count("zun_log_follow_records_total", "Records of followed logs that were sent."),
		bytes:   count("zun_log_follow_bytes_total", "Bytes of output in the records that were sent."),
		gaps:    count("zun_log_follow_gaps_total", "Times that a follower was told of lost output."),
		ends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zun_log_follow_ends_total", Help: "Followed logs that ended, by reason.",
		}, []string{"reason"}),
	}
	registry.MustRegister(m.open, m.records, m.bytes, m.gaps, m.ends)
	return m
}

// Following implements follow.Meter.
func (m *followMetrics) Following(more int) { m.open.Add(float64(more)) }

// Followed implements follow.Meter.
func (m *followMetrics) Followed(records, bytes, gaps int) {
	m.records.Add(float64(records))
	m.bytes.Add(float64(bytes))
	m.gaps.Add(float64(gaps))
}

// FollowingEnded implements follow.Meter.
func (m *followMetrics) FollowingEnded(reason string) { m.ends.WithLabelValues(reason).Inc() }
