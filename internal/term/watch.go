package term

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"
)

// watch ends a console that is idle, too old, half-open, or in the way of a stop.
func (s *session) watch(ctx context.Context) ending {
	ping := time.NewTicker(s.options.Ping)
	defer ping.Stop()
	idle, longest := timer(s.options.Idle), timer(s.options.Longest)
	defer idle.Stop()
	defer longest.Stop()
	for {
		select {
		case <-ctx.Done():
			return ending{by: "user", code: websocket.StatusAbnormalClosure}
		case <-s.stopping:
			return ending{by: "door", code: websocket.StatusGoingAway, reason: "The console door is stopping"}
		case <-longest.C:
			return ending{by: "longest", code: websocket.StatusPolicyViolation, reason: "The console reached its longest time"}
		case <-idle.C:
			left := s.options.Idle - time.Since(time.Unix(0, s.moved.Load()))
			if left <= 0 {
				return ending{by: "idle", code: websocket.StatusPolicyViolation, reason: "The console was idle for too long"}
			}
			idle.Reset(left)
		case <-ping.C:
			if end, lost := s.ping(ctx); lost {
				return end
			}
		}
	}
}

// timer is one that never fires if d is 0.
func timer(d time.Duration) *time.Timer {
	if d > 0 {
		return time.NewTimer(d)
	}
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// ping looks whether the user is still there. While output waits for him, no ping could
// pass. While his input waits, no answer could be read: silence proves nothing then, but a
// machine that he left refuses what it is sent, and that is the only word of it.
func (s *session) ping(ctx context.Context) (ending, bool) {
	if s.serving.Load() != 0 {
		return ending{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.PingTimeout)
	defer cancel()
	heard := s.in.Load()
	err := s.conn.Ping(ctx)
	switch {
	case err == nil || s.serving.Load() != 0:
		return ending{}, false
	case !errors.Is(err, context.DeadlineExceeded):
		return unheard(err), true
	case s.feeding.Load() || s.in.Load() != heard:
		return ending{}, false
	}
	return ending{by: "half-open", code: websocket.StatusPolicyViolation, reason: "No answer to a ping", cause: err}, true
}
