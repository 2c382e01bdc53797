package rest

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/follow"
	"github.com/go-zun/zun/internal/rest/stream"
	"github.com/go-zun/zun/internal/rest/view"
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
	timing := c.Options.Follow.Timing.WithDefaults()
	s := feedStream{call: c, Writer: stream.Open(c.w, timing.Patience), timing: timing, after: after, all: all}
	defer s.Close()
	s.Comment("following")
	if gap {
		s.after = max(oldest-1, 0)
		s.Event("", "gap", []byte("{}"))
	}
	s.follow()
	return sent{}, nil
}

// feedStream is one follower.
type feedStream struct {
	*call
	*stream.Writer
	timing follow.Timing
	after  int64
	all    bool // of all projects
}

// follow sends until the client is gone, its right to follow is withdrawn, or the
// longest time of a stream is over. A database that does not answer for a while costs
// the stream only time.
func (s *feedStream) follow() {
	look, alive, recheck := time.NewTicker(followEvery), time.NewTicker(s.timing.Alive), time.NewTicker(s.timing.Recheck)
	defer look.Stop()
	defer alive.Stop()
	defer recheck.Stop()
	longest := time.NewTimer(s.timing.Longest)
	defer longest.Stop()
	for s.Flush() == nil {
		select {
		case <-s.ctx().Done():
			return
		case <-s.Stopping:
			s.end("stopping")
			return
		case <-longest.C:
			s.end("lifetime")
			return
		case <-recheck.C:
			if s.mayFollow() != nil {
				s.end("unauthorized")
				return
			}
		case <-alive.C:
			s.Comment("alive")
		case <-look.C:
			s.send()
		}
	}
}

// end tells the client why nothing more comes. It may follow on behind the last event.
func (s *feedStream) end(reason string) {
	s.Event("", "end", []byte(`{"reason":"`+reason+`"}`))
	_ = s.Flush() // a client that is gone need not be told
}

// mayFollow judges token and policy anew.
func (s *feedStream) mayFollow() error {
	if err := s.stillAllowed(s.ctx()); err != nil || !s.all {
		return err
	}
	actor, err := s.authenticate(s.r)
	if err != nil {
		return nil //nolint:nilerr // judged above; what cannot be judged at the moment is no refusal
	}
	probe := *s.call
	probe.actor = actor
	return probe.allow("event:get_all_all_projects", probe.self())
}

// send sends what happened since it last looked. What belongs to others moves the
// place to resume from all the same.
func (s *feedStream) send() {
	found, err := s.hub.After(s.ctx(), s.after)
	if err != nil {
		return
	}
	for _, n := range found {
		s.after = n.ID
		if !s.all && n.ProjectID != s.actor.ProjectID {
			continue
		}
		data, err := json.Marshal(view.FeedEvent(n))
		if err != nil {
			continue
		}
		s.Event(strconv.FormatInt(n.ID, 10), n.Name, data)
	}
}
