// Package health answers load balancers.
package health

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/go-zun/zun/internal/rest/journal"
)

const timeout = 5 * time.Second

// Check answers 503 while an operator's file exists or the store does not answer.
type Check struct {
	DisableFile string                          // empty: none
	Ping        func(ctx context.Context) error // nil: no store to ask
	Log         *slog.Logger
}

// ServeHTTP implements http.Handler.
func (c Check) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, "OK"
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if c.DisableFile != "" {
		if _, err := os.Stat(c.DisableFile); err == nil {
			status, text = http.StatusServiceUnavailable, "DISABLED BY FILE"
		}
	}
	if status == http.StatusOK && c.Ping != nil {
		if err := c.Ping(ctx); err != nil {
			c.Log.WarnContext(ctx, "health check", slog.String("error", err.Error()), journal.Attr(r))
			status, text = http.StatusServiceUnavailable, "DATABASE UNAVAILABLE"
		}
	}
	if r.Header.Get("Accept") == "application/json" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"detailed": false, "reasons": []string{text}}) // the client is gone; nobody is left to be told
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client is gone; nobody is left to be told
}
