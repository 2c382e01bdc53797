package deployment

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

// Process is one service of a deployment, run as often as a test likes. It is
// used by one goroutine at a time.
type Process struct {
	d    *Deployment
	room *Room
	Name string // also of its log
	args []string

	cmd   *exec.Cmd
	ended chan struct{} // closed when the present run is over
}

// Start runs the service with more environment.
func (p *Process) Start(env ...string) error {
	cmd := p.d.command(p.room, p.args[0], p.args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	log, err := os.OpenFile(p.Log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", p.Name, err), log.Close())
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

// Log is the file that every run of it adds to.
func (p *Process) Log() string { return filepath.Join(p.d.Dir, p.Name+".log") }

// MustStart is Start where it cannot but succeed.
func (p *Process) MustStart(t *testing.T, env ...string) {
	t.Helper()
	if err := p.Start(env...); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the service gracefully, and with force if it does not.
func (p *Process) Stop(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it is over
	select {
	case <-p.ended:
	case <-time.After(SettleWithin):
		t.Errorf("%s did not stop when asked to", p.Name)
		p.Kill()
	}
}

// Kill ends the service as a crash does.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // fails only if it is over
	<-p.ended
}

// Mortal is a service that was restarted to die in a window, and is nursed.
type Mortal struct {
	*Process
	mark  string
	ended chan struct{} // of the run that is to die
	leave chan struct{}
	done  chan error
}

// Arm restarts the service so that it dies at moment of window, whereupon it is
// started again at once. The caller must call Recover.
func (p *Process) Arm(t *testing.T, window failpoint.Name, moment string) Mortal {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "mark")
	p.Stop(t)
	p.MustStart(t, failpoint.EnvArm+"="+string(window)+":"+moment, failpoint.EnvMark+"="+mark)
	m := Mortal{Process: p, mark: mark, ended: p.ended, leave: make(chan struct{}), done: make(chan error, 1)}
	go func() { // ends with that run or by Recover
		select {
		case <-m.ended:
			m.done <- p.Start()
		case <-m.leave:
			m.done <- nil
		}
	}()
	return m
}

// Recover leaves the service unarmed, and says whether it met its window.
func (m Mortal) Recover(t *testing.T) (met bool) {
	t.Helper()
	close(m.leave)
	if err := <-m.done; err != nil {
		t.Fatal(err)
	}
	if m.Process.ended == m.ended { // still the run that is to die, dead or alive
		m.Stop(t)
		m.MustStart(t)
	}
	_, err := os.Stat(m.mark)
	return err == nil
}
