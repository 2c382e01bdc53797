package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/go-zun/zun/api"
)

var requestID = regexp.MustCompile(`^req-[0-9a-fA-F-]{36}$`)

// ledger collects what is known of a request by the time its line is logged.
type ledger struct {
	http.ResponseWriter
	status            int
	bytes             int64
	id                string
	userID, projectID string
}

type ledgerKey struct{}

// WriteHeader notes the status.
func (l *ledger) WriteHeader(status int) {
	if l.status == 0 {
		l.status = status
	}
	l.ResponseWriter.WriteHeader(status)
}

// Write counts what is sent.
func (l *ledger) Write(p []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	n, err := l.ResponseWriter.Write(p)
	l.bytes += int64(n)
	if err != nil {
		return n, fmt.Errorf("write answer: %w", err)
	}
	return n, nil
}

// Unwrap gives the response controller the writer below.
func (l *ledger) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// watched gives every request its id, logs one line for it, and turns a panic into
// a 500 with the trace in the log.
func (d *door) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		l := &ledger{ResponseWriter: w, id: "req-" + uuid.NewString()}
		w.Header().Set(api.HeaderRequestID, l.id)
		r = r.WithContext(context.WithValue(r.Context(), ledgerKey{}, l))
		defer func() {
			if caught := recover(); caught != nil {
				d.recovered(l, r, caught)
			}
			d.line(l, r, time.Since(began))
		}()
		next.ServeHTTP(l, r)
	})
}

func (d *door) recovered(l *ledger, r *http.Request, caught any) {
	if err, isErr := caught.(error); isErr && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler) // the server's own way to cut a half-sent answer
	}
	d.Log.ErrorContext(r.Context(), "panic", slog.String("cause", fmt.Sprint(caught)), slog.String("trace", string(debug.Stack())), requestAttr(r))
	if l.status == 0 {
		d.refuse(l, r, errors.New("panic in a handler"))
	}
}

// line logs the request. The query is left out: it may hold a secret.
func (d *door) line(l *ledger, r *http.Request, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", l.status),
		slog.Int64("bytes", l.bytes), slog.Duration("took", took), slog.String("request", l.id), slog.String("remote", r.RemoteAddr),
	}
	if l.userID != "" {
		attrs = append(attrs, slog.String("user", l.userID), slog.String("project", l.projectID))
	}
	if global := r.Header.Get(api.HeaderRequestID); requestID.MatchString(global) {
		attrs = append(attrs, slog.String("global_request", global))
	}
	d.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}

// ledgerOf returns the request's ledger, which watched always lays.
func ledgerOf(r *http.Request) *ledger {
	l, _ := r.Context().Value(ledgerKey{}).(*ledger)
	return l
}

func requestAttr(r *http.Request) slog.Attr { return slog.String("request", ledgerOf(r).id) }

// health answers load balancers: 503 while an operator's file exists or the store
// does not answer.
func (d *door) health(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, "OK"
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	if d.Options.DisableFile != "" {
		if _, err := os.Stat(d.Options.DisableFile); err == nil {
			status, text = http.StatusServiceUnavailable, "DISABLED BY FILE"
		}
	}
	if status == http.StatusOK && d.Ping != nil {
		if err := d.Ping(ctx); err != nil {
			d.Log.WarnContext(ctx, "health check", slog.String("error", err.Error()), requestAttr(r))
			status, text = http.StatusServiceUnavailable, "DATABASE UNAVAILABLE"
		}
	}
	if r.Header.Get("Accept") == "application/json" {
		send(w, status, map[string]any{"detailed": false, "reasons": []string{text}})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client is gone; nobody is left to be told
}
