//go:build integration

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/failpoint"
)

// process is one service of a deployment, run as often as a test likes. It is
// used by one goroutine at a time.
type process struct {
	d    *deployment
	name string // also of its log
	args []string

	cmd   *exec.Cmd
	ended chan struct{} // closed when the present run is over
}

// start runs the service with more environment.
func (p *process) start(env ...string) error {
	cmd := p.d.command(p.args[0], p.args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	log, err := os.OpenFile(p.log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", p.name, err), log.Close())
	}
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() { // ends with the process; stop and kill wait for it
		_ = cmd.Wait()
		_ = log.Close()
		close(ended)
	}()
	return nil
}

func (p *process) log() string { return filepath.Join(p.d.dir, p.name+".log") }

// mustStart is start where it cannot but succeed.
func (p *process) mustStart(t *testing.T, env ...string) {
	t.Helper()
	if err := p.start(env...); err != nil {
		t.Fatal(err)
	}
}

// stop ends the service gracefully, and with force if it does not.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it is over
	select {
	case <-p.ended:
	case <-time.After(settleWithin):
		t.Errorf("%s did not stop when asked to", p.name)
		p.kill()
	}
}

// kill ends the service as a crash does.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // fails only if it is over
	<-p.ended
}

// arm restarts the service so that it dies at moment of window; the returned
// function tells whether it met the window.
func (p *process) arm(t *testing.T, window failpoint.Name, moment string) (met func() bool) {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "mark")
	p.stop(t)
	p.mustStart(t, failpoint.EnvArm+"="+string(window)+":"+moment, failpoint.EnvMark+"="+mark)
	return func() bool {
		_, err := os.Stat(mark)
		return err == nil
	}
}

// nurse starts the service again as soon as its present run is over. The returned
// function ends the watch, and must be called; it returns why a start failed.
func (p *process) nurse() (done func() error) {
	ended, leave, result := p.ended, make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-ended:
			result <- p.start()
		case <-leave:
			result <- nil
		}
	}()
	return func() error {
		close(leave)
		return <-result
	}
}
