// Package journal gives every request its id and one line in the log.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"github.com/go-zun/zun/api"
)

var requestID = regexp.MustCompile(`^req-[0-9a-fA-F-]{36}$`)

// Entry collects what is known of a request by the time its line is logged.
type Entry struct {
	http.ResponseWriter
	status            int
	bytes             int64
	RequestID         string
	UserID, ProjectID string // empty until somebody is known
}

type entryKey struct{}

// WriteHeader notes the status.
func (e *Entry) WriteHeader(status int) {
	if e.status == 0 {
		e.status = status
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write counts what is sent.
func (e *Entry) Write(p []byte) (int, error) {
	if e.status == 0 {
		e.status = http.StatusOK
	}
	n, err := e.ResponseWriter.Write(p)
	e.bytes += int64(n)
	if err != nil {
		return n, fmt.Errorf("write answer: %w", err)
	}
	return n, nil
}

// Unwrap gives the response controller the writer below.
func (e *Entry) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// Refuse answers a request that failed.
type Refuse func(w http.ResponseWriter, r *http.Request, err error)

// Keep gives every request its id, logs one line for it, and turns a panic into what
// refuse answers, with the trace in the log.
func Keep(log *slog.Logger, refuse Refuse, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		e := &Entry{ResponseWriter: w, RequestID: "req-" + uuid.NewString()}
		w.Header().Set(api.HeaderRequestID, e.RequestID)
		r = r.WithContext(context.WithValue(r.Context(), entryKey{}, e))
		defer func() {
			if caught := recover(); caught != nil {
				recovered(log, refuse, e, r, caught)
			}
			e.line(log, r, time.Since(began))
		}()
		next.ServeHTTP(e, r)
	})
}

func recovered(log *slog.Logger, refuse Refuse, e *Entry, r *http.Request, caught any) {
	if err, isErr := caught.(error); isErr && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler) // the server's own way to cut a half-sent answer
	}
	log.ErrorContext(r.Context(), "panic", slog.String("cause", fmt.Sprint(caught)), slog.String("trace", string(debug.Stack())), Attr(r))
	if e.status == 0 {
		refuse(e, r, errors.New("panic in a handler"))
	}
}

// line logs the request. The query is left out: it may hold a secret.
func (e *Entry) line(log *slog.Logger, r *http.Request, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", e.status),
		slog.Int64("bytes", e.bytes), slog.Duration("took", took), slog.String("request", e.RequestID), slog.String("remote", r.RemoteAddr),
	}
	if e.UserID != "" {
		attrs = append(attrs, slog.String("user", e.UserID), slog.String("project", e.ProjectID))
	}
	if global := r.Header.Get(api.HeaderRequestID); requestID.MatchString(global) {
		attrs = append(attrs, slog.String("global_request", global))
	}
	log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}

// Of returns the entry of a request, which Keep always lays.
func Of(r *http.Request) *Entry {
	e, _ := r.Context().Value(entryKey{}).(*Entry)
	return e
}

// Attr names the request in other lines of the log.
func Attr(r *http.Request) slog.Attr { return slog.String("request", Of(r).RequestID) }
