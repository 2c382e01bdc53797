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

// mortal is a service that was restarted to die in a window, and is nursed.
type mortal struct {
	*process
	mark  string
	ended chan struct{} // of the run that is to die
	leave chan struct{}
	done  chan error
}

// arm restarts the service so that it dies at moment of window, whereupon it is
// started again at once. The caller must call recover.
func (p *process) arm(t *testing.T, window failpoint.Name, moment string) mortal {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "mark")
	p.stop(t)
	p.mustStart(t, failpoint.EnvArm+"="+string(window)+":"+moment, failpoint.EnvMark+"="+mark)
	m := mortal{process: p, mark: mark, ended: p.ended, leave: make(chan struct{}), done: make(chan error, 1)}
	go func() { // ends with that run or by recover
		select {
		case <-m.ended:
			m.done <- p.start()
		case <-m.leave:
			m.done <- nil
		}
	}()
	return m
}

// recover leaves the service unarmed, and says whether it met its window.
func (m mortal) recover(t *testing.T) (met bool) {
	t.Helper()
	close(m.leave)
	if err := <-m.done; err != nil {
		t.Fatal(err)
	}
	if m.process.ended == m.ended { // still the run that is to die, dead or alive
		m.stop(t)
		m.mustStart(t)
	}
	_, err := os.Stat(m.mark)
	return err == nil
}
