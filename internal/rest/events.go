package rest

import (
	"context"
	"strconv"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/feed"
)

const (
	maxFollowers        = 256                    // streams of one process at once
	maxProjectFollowers = 32                     // of the users of one project
	followEvery         = 250 * time.Millisecond // how late an event may be
	resumeHeader        = "Last-Event-ID"
)

// followEvents streams what happens in the project from now on, or from behind the
// event that Last-Event-ID names. Where events behind it are no longer kept, the
// first thing sent is an event called gap.
func followEvents(c *call) (any, error) {
	all, err := c.across("event:get_all_all_projects")
	if err != nil {
		return nil, err
	}
	oldest, newest, err := c.Feed.NoticeBounds(c.ctx())
	if err != nil {
		return nil, err
	}
	after, gap := newest, false
	if text := c.r.Header.Get(resumeHeader); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "%s is not the id of an event.", resumeHeader)
		}
		gap = after < oldest-1 || after > newest
	}
	leave, full := c.followers.Join(c.actor.ProjectID, "")
	if full != "" {
		return nil, tooManyFollowers(full, "event streams")
	}
	defer leave()
	if gap {
		after = max(oldest-1, 0)
	}
	session := feed.Session{
		Hub: c.hub, After: after, Gap: gap, Every: followEvery, Timing: c.Options.Follow.Timing.WithDefaults(),
		Sees:     func(n domain.Notice) bool { return all || n.ProjectID == c.actor.ProjectID },
		Allowed:  func(ctx context.Context) error { return c.mayFollow(ctx, all) },
		Stopping: c.Stopping,
	}
	session.Run(c.ctx(), c.w)
	return sent{}, nil
}

// mayFollow judges token and policy anew; all says that the events of all projects are
// followed.
func (c *call) mayFollow(ctx context.Context, all bool) error {
	if err := c.stillAllowed(ctx); err != nil || !all {
		return err
	}
	actor, err := c.authenticate(c.r)
	if err != nil {
		return nil //nolint:nilerr // judged above; what cannot be judged at the moment is no refusal
	}
	probe := *c
	probe.actor = actor
	return probe.allow("event:get_all_all_projects", probe.self())
}
