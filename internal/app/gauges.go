package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-zun/zun/internal/agent/stock"
)

// imageFigures are what is measured of a host's images.
type imageFigures struct {
	held, bytes, disk prometheus.Gauge
	removed, freed    *prometheus.CounterVec
	failed, asked     prometheus.Counter
}

// newImageFigures registers the figures of a host's images.
func newImageFigures(registry *prometheus.Registry) stock.Meter {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	counters := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"reason"})
	}
	f := imageFigures{
		held:    gauge("zun_images", "Images on the host that this service pulled."),
		bytes:   gauge("zun_images_bytes", "Bytes of the images on the host that this service pulled; layers that they share are counted often."),
		disk:    gauge("zun_images_disk_used_ratio", "Used share of the disk that images lie on."),
		removed: counters("zun_images_removed_total", "Images removed from the host, by reason."),
		freed:   counters("zun_images_removed_bytes_total", "Bytes of the images removed from the host, by reason."),
		failed:  prometheus.NewCounter(prometheus.CounterOpts{Name: "zun_images_collections_failed_total", Help: "Looks at the host's images that did not come to their end."}),
		asked:   prometheus.NewCounter(prometheus.CounterOpts{Name: "zun_images_registry_questions_total", Help: "Registries asked whether a project may use an image that is on the host."}),
	}
	registry.MustRegister(f.held, f.bytes, f.disk, f.removed, f.freed, f.failed, f.asked)
	return f
}

// Stocked implements stock.Meter.
func (f imageFigures) Stocked(images int, bytes int64) {
	f.held.Set(float64(images))
	f.bytes.Set(float64(bytes))
}

// Disk implements stock.Meter.
func (f imageFigures) Disk(used float64) { f.disk.Set(used) }

// Removed implements stock.Meter.
func (f imageFigures) Removed(why stock.Reason, bytes int64) {
	f.removed.WithLabelValues(string(why)).Inc()
	f.freed.WithLabelValues(string(why)).Add(float64(bytes))
}

// Failed implements stock.Meter.
func (f imageFigures) Failed() { f.failed.Inc() }

// Asked implements stock.Meter.
func (f imageFigures) Asked() { f.asked.Inc() }
