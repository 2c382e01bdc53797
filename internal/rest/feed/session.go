package feed

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/stream"
	"github.com/go-zun/zun/internal/rest/view"
)

// Session is one follower. Every field but Gap is required.
type Session struct {
	Hub   *Hub
	After int64 // the last notice that the client knows
	Gap   bool  // what followed on it is kept no more, which the client is told first
	// Every is how late a notice may be.
	Every  time.Duration
	Timing stream.Timing
	// Sees says whether a notice is for this client.
	Sees func(domain.Notice) bool
	// Allowed returns an error when the client may follow no longer.
	Allowed func(ctx context.Context) error
	// Stopping is closed when this process is being stopped; nil: never.
	Stopping <-chan struct{}

	to *stream.Writer
}

// Run sends to w until the client is gone, its right to follow is withdrawn, or the
// longest time of a stream is over. A source that does not answer for a while costs the
// stream only time.
func (s *Session) Run(ctx context.Context, w http.ResponseWriter) {
	s.to = stream.Open(w, s.Timing.Patience)
	defer s.to.Close()
	s.to.Comment("following")
	if s.Gap {
		s.to.Event("", "gap", []byte("{}"))
	}
	look, alive, recheck := time.NewTicker(s.Every), time.NewTicker(s.Timing.Alive), time.NewTicker(s.Timing.Recheck)
	defer look.Stop()
	defer alive.Stop()
	defer recheck.Stop()
	longest := time.NewTimer(s.Timing.Longest)
	defer longest.Stop()
	for s.to.Flush() == nil {
		select {
		case <-ctx.Done():
			return
		case <-s.Stopping:
			s.end("stopping")
			return
		case <-longest.C:
			s.end("lifetime")
			return
		case <-recheck.C:
			if s.Allowed(ctx) != nil {
				s.end("unauthorized")
				return
			}
		case <-alive.C:
			s.to.Comment("alive")
		case <-look.C:
			s.send(ctx)
		}
	}
}

// end tells the client why nothing more comes. It may follow on behind the last event.
func (s *Session) end(reason string) {
	s.to.Event("", "end", []byte(`{"reason":"`+reason+`"}`))
	_ = s.to.Flush() // a client that is gone need not be told
}

// send sends what happened since it last looked. What belongs to others moves the
// place to resume from all the same.
func (s *Session) send(ctx context.Context) {
	found, err := s.Hub.After(ctx, s.After)
	if err != nil {
		return
	}
	for _, n := range found {
		s.After = n.ID
		if !s.Sees(n) {
			continue
		}
		data, err := json.Marshal(view.FeedEvent(n))
		if err != nil {
			continue
		}
		s.to.Event(strconv.FormatInt(n.ID, 10), n.Name, data)
	}
}
