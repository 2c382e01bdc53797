package rest

import (
	"context"
	"net/http"
	"regexp"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/draft"
	"github.com/go-zun/zun/internal/rest/follow"
	"github.com/go-zun/zun/internal/rest/stream"
)

// FollowOptions bound followed logs of this process. The zero value of a timing takes
// its default, and of a count means no bound.
type FollowOptions struct {
	PerContainer, PerProject int // streams at once
	Timing                   stream.Timing
}

// followLogs streams what a container prints, from its log's beginning or tail, or from
// behind the record that Last-Event-ID or cursor names. The header wins: a browser
// sends it with the address that it was first given.
func followLogs(c *call) (any, error) {
	q, err := c.followQuery()
	if err != nil {
		return nil, err
	}
	leave, full := c.logFollowers.Join(c.container.ProjectID, string(c.container.ID))
	if full != "" {
		return nil, tooManyFollowers(full, "followed logs")
	}
	defer leave()
	session := follow.Session{
		Source: func(ctx context.Context, sink control.FollowSink) error {
			return c.Output.Follow(ctx, c.actor, c.ref, q, sink)
		},
		Allowed: c.stillAllowed, Stopping: c.Stopping, Timing: c.Options.Follow.Timing.WithDefaults(), Meter: c.FollowMeter,
		Times: c.args.Boolean("timestamps", true),
	}
	if err := session.Run(c.ctx(), c.w); err != nil {
		return nil, err
	}
	return sent{}, nil
}

var cursorForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func (c *call) followQuery() (domain.FollowQuery, error) {
	logs, err := draft.LogQuery(c.args)
	if err != nil {
		return domain.FollowQuery{}, err
	}
	q := domain.FollowQuery{
		Stdout: logs.Stdout, Stderr: logs.Stderr, Tail: logs.Tail, Since: logs.Since,
		Cursor: c.args.Text("cursor"), Restarts: c.args.Boolean("restarts", false),
	}
	if last := c.r.Header.Get(resumeHeader); last != "" {
		q.Cursor = last
	}
	if q.Cursor != "" && !cursorForm.MatchString(q.Cursor) {
		return q, domain.NewFault(domain.Invalid, "invalid-cursor", "The cursor is not one that this service gave.")
	}
	return q, nil
}

// stillAllowed judges token and policy anew. What cannot be judged at the moment is no
// refusal: the stream is bounded all the same.
func (c *call) stillAllowed(context.Context) error {
	actor, err := c.authenticate(c.r)
	if err == nil {
		probe := *c
		probe.actor = actor
		err = probe.admit()
	}
	if domain.IsKind(err, domain.Unauthenticated) || domain.IsKind(err, domain.Forbidden) {
		return err
	}
	return nil
}

// tooManyFollowers refuses one more stream; full says what has its fill of them.
func tooManyFollowers(full, streams string) error {
	text := "The " + full + " has too many " + streams + " open."
	return &refusal{status: http.StatusTooManyRequests, body: api.Fault{Code: "container.too-many-followers", Title: text, Detail: text}}
}
