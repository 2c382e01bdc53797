package draft

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// LogQuery reads which part of a log is asked for.
func LogQuery(a Args) (domain.LogQuery, error) {
	q := domain.LogQuery{Stdout: a.Boolean("stdout", true), Stderr: a.Boolean("stderr", true), Timestamps: a.Boolean("timestamps", false), Tail: -1}
	if n, isNumber := a.Whole("tail"); isNumber && n >= 0 && n < 1<<31 {
		q.Tail = int(n)
	}
	since := PlainText(a["since"])
	if a["since"] == nil || since == "" {
		return q, nil
	}
	if seconds, err := strconv.ParseInt(since, 10, 64); err == nil {
		q.Since = time.Unix(seconds, 0)
		return q, nil
	}
	at, err := time.Parse("2006-01-02 15:04:05", strings.Split(since, ",")[0])
	if err != nil {
		return q, domain.WrapFault(err, domain.Invalid, "invalid-value", "since is no time: %s", since)
	}
	q.Since = at
	return q, nil
}
