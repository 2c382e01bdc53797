package term

import (
	"context"
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

// ping looks whether the user is still there. While a direction waits for a slow
// side, neither a ping nor its answer could pass, and silence proves nothing.
func (s *session) ping(ctx context.Context) (ending, bool) {
	if s.waiting() {
		return ending{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.PingTimeout)
	defer cancel()
	heard := s.in.Load()
	err := s.conn.Ping(ctx)
	if err == nil || s.waiting() || s.in.Load() != heard {
		return ending{}, false
	}
	return ending{by: "half-open", code: websocket.StatusPolicyViolation, reason: "No answer to a ping", cause: err}, true
}

func (s *session) waiting() bool { return s.feeding.Load() || s.serving.Load() != 0 }
