package view

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// LogRecord shows one record of a followed log, with its time if times.
func LogRecord(r domain.FollowRecord, times bool) api.LogRecord {
	shown := api.LogRecord{Data: r.Data, Reason: r.Reason, ExitCode: r.ExitCode}
	if r.Kind != domain.FollowLine {
		return shown
	}
	shown.Stream = "stdout"
	if r.Stream == domain.Stderr {
		shown.Stream = "stderr"
	}
	if times {
		shown.Time = r.At.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") // as engines write it
	}
	return shown
}
