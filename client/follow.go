package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-zun/zun/api"
)

// FollowOptions say what of a container's output is followed.
type FollowOptions struct {
	// Query narrows it down: stdout, stderr, tail, since, timestamps, restarts.
	Query url.Values
	// Cursor goes on behind the event that had it; empty: as Query says.
	Cursor string
	// Patience is how long the service may be away before following fails; 0: five minutes.
	Patience time.Duration
	// Broken hears why the stream broke, each time, before it is taken up again; nil: nobody does.
	Broken func(err error)
}

// LogEvent is one event of a followed log: "begin", "line", "gap" or "end".
type LogEvent struct {
	Name   string
	Cursor string
	api.LogRecord
}

const (
	defaultPatience = 5 * time.Minute
	shortestWait    = 200 * time.Millisecond
	longestWait     = 5 * time.Second
	// longestSilence is several times what the service lets pass without a sign of life.
	longestSilence = time.Minute
	// maxEvent bounds one line of the stream in bytes.
	maxEvent = 1 << 20
)

// FollowLogs gives tell every event from now on until the container ends, and returns
// nil then. A stream that breaks is taken up again where it broke, so that no line is
// missing and none comes twice. An error of tell ends it.
func (c *Client) FollowLogs(ctx context.Context, ident string, o FollowOptions, tell func(LogEvent) error) error {
	f := &logFollower{client: c, ident: ident, options: o, tell: tell}
	if o.Patience <= 0 {
		f.options.Patience = defaultPatience
	}
	f.alone()
	for {
		over, err := f.once(ctx)
		if over || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if time.Now().After(f.until) {
			return err
		}
		if o.Broken != nil {
			o.Broken(err)
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
}

// logFollower is one FollowLogs.
type logFollower struct {
	client  *Client
	ident   string
	options FollowOptions
	tell    func(LogEvent) error
	begun   bool
	pause   time.Duration // before the next try
	until   time.Time     // when patience ends
}

// alone begins to count how long the service is away.
func (f *logFollower) alone() {
	f.pause, f.until = shortestWait, time.Now().Add(f.options.Patience)
}

func (f *logFollower) wait(ctx context.Context) error {
	// Spread, so that all who follow through one service do not come back at once.
	timer := time.NewTimer(f.pause/2 + rand.N(f.pause)) //nolint:gosec // spreading load needs no secret
	defer timer.Stop()
	f.pause = min(2*f.pause, longestWait)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once follows one stream. over says that there is nothing to take up again.
func (f *logFollower) once(ctx context.Context) (over bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(longestSilence, cancel)
	defer silence.Stop()
	q := url.Values{}
	for name, values := range f.options.Query {
		q[name] = values
	}
	if f.options.Cursor != "" {
		q.Set("cursor", f.options.Cursor)
	}
	answer, err := f.client.send(ctx, call{method: http.MethodGet, path: item(f.ident) + "/logs/follow", query: q, accept: "text/event-stream"})
	if err != nil {
		return f.refused(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return f.read(answer.Body, func() { silence.Reset(longestSilence) })
}

// refused says whether it helps to ask again.
func (f *logFollower) refused(err error) (over bool, _ error) {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return errors.Is(err, ErrNoName), err
	}
	switch refusal.Status {
	case http.StatusNotFound:
		if f.begun {
			return true, f.tell(LogEvent{Name: "end", Cursor: f.options.Cursor, LogRecord: api.LogRecord{Reason: "deleted"}})
		}
		if strings.HasSuffix(refusal.Code, ".") { // no such address, not: no such container
			return true, errors.New("this service does not follow logs: its operator has not set [api] extensions")
		}
		return true, err
	case http.StatusTooManyRequests:
		return !f.begun, err
	default:
		return refusal.Status < http.StatusInternalServerError, err
	}
}

// read tells the events of one stream.
func (f *logFollower) read(body io.Reader, alive func()) (over bool, err error) {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 64<<10), maxEvent)
	var event LogEvent
	for lines.Scan() {
		alive()
		if lines.Text() == "" {
			if over, err = f.take(event); over || err != nil {
				return over, err
			}
			event = LogEvent{}
			continue
		}
		key, value, _ := strings.Cut(lines.Text(), ":") // a comment has no key
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "id":
			event.Cursor = value
		case "event":
			event.Name = value
		case "data":
			if err := json.Unmarshal([]byte(value), &event.LogRecord); err != nil {
				return true, fmt.Errorf("read the followed log: %w", err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("read the followed log: %w", err)
	}
	return false, errors.New("the followed log broke off")
}

// take tells one event. An end after which more may come is no end for who follows.
func (f *logFollower) take(event LogEvent) (over bool, err error) {
	if event.Cursor != "" {
		f.options.Cursor = event.Cursor
	}
	f.alone()
	switch {
	case event.Name == "": // only a sign of life
		return false, nil
	case event.Name == "begin" && f.begun:
		return false, nil
	case event.Name == "end" && event.Resume:
		return false, fmt.Errorf("the service ended the followed log: %s", event.Reason)
	}
	f.begun = true
	if err := f.tell(event); err != nil {
		return true, err
	}
	if event.Name == "end" && event.Reason == "failed" {
		return true, errors.New("the host cannot go on following the log")
	}
	return event.Name == "end", nil
}
