package fake

import (
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// KillSandbox makes the holder of the container's namespace die, as a killed pause
// container would. With real namespaces its namespace goes as well.
func (e *Engine) KillSandbox(id domain.ContainerID) error {
	_, err := e.store.change(roleSandbox, id, func(r *record) error {
		r.end(e.clock.Now(), 137)
		return nil
	})
	return err
}

// EndProcess makes the member's process end with code, as by its own decision.
func (e *Engine) EndProcess(id domain.ContainerID, code int) error {
	_, err := e.store.change(roleMember, id, func(r *record) error {
		r.end(e.clock.Now(), code)
		return nil
	})
	return err
}

// Lose makes every object of the container vanish, as if somebody had removed them
// behind our back.
func (e *Engine) Lose(id domain.ContainerID) error {
	if err := e.store.remove(roleMember, id); err != nil {
		return err
	}
	return e.discard(id)
}

// Print makes the member's process print line now.
func (e *Engine) Print(o agent.Object, stream domain.LogStream, line string) error {
	_, err := e.change(o, func(r *record, now time.Time) error {
		if !r.alive(now) {
			return notRunning(o)
		}
		last := r.last()
		last.Extra = append(last.Extra, program.Output{At: now, Stream: stream, Data: []byte(line + "\n")})
		return nil
	})
	return err
}
