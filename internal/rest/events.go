package rest

import (
	"encoding/json"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/stream"
	"github.com/go-zun/zun/internal/rest/view"
)

const (
	maxFollowers = 256                    // streams of one process at once
	followEvery  = 250 * time.Millisecond // how late an event may be
	aliveEvery   = 15 * time.Second       // a sign for proxies that close what is silent
	followBatch  = 500
	// followPatience is how long a follower may take nothing.
	followPatience = 30 * time.Second
	resumeHeader   = "Last-Event-ID"
)

// followers counts the open streams.
type followers struct{ now atomic.Int32 }

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
	if c.followers.now.Add(1) > maxFollowers {
		c.followers.now.Add(-1)
		return nil, domain.NewFault(domain.Unavailable, "too-many-followers", "Too many event streams are open.")
	}
	defer c.followers.now.Add(-1)
	s := feedStream{call: c, Writer: stream.Open(c.w, followPatience), after: after, mine: func(n domain.Notice) bool { return all || n.ProjectID == c.actor.ProjectID }}
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
	after int64
	mine  func(domain.Notice) bool
}

// follow sends until the client is gone. A database that does not answer for a while
// costs the stream only time.
func (s *feedStream) follow() {
	look, alive := time.NewTicker(followEvery), time.NewTicker(aliveEvery)
	defer look.Stop()
	defer alive.Stop()
	for s.Flush() == nil {
		select {
		case <-s.ctx().Done():
			return
		case <-s.Stopping:
			return
		case <-alive.C:
			s.Comment("alive")
		case <-look.C:
			s.send()
		}
	}
}

// send sends what happened since it last looked. What belongs to others moves the
// place to resume from all the same.
func (s *feedStream) send() {
	found, err := s.Feed.Notices(s.ctx(), s.after, followBatch)
	if err != nil {
		return
	}
	for _, n := range found {
		s.after = n.ID
		if !s.mine(n) {
			continue
		}
		data, err := json.Marshal(view.FeedEvent(n))
		if err != nil {
			continue
		}
		s.Event(strconv.FormatInt(n.ID, 10), n.Name, data)
	}
}
