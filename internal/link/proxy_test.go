package link_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/member"
	"github.com/go-zun/zun/internal/link/proxy"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// consoleDoor makes a console door that has not joined.
func (r *rig) consoleDoor(rep *replica, name, token string, vault member.Vault, before ...string) *proxy.Link {
	l, err := proxy.New(proxy.Deps{
		Name: name, Controls: append(before, rep.address), Token: token, Vault: vault,
		Dial: channel.TCP(), Timing: quickTiming(), Clock: r.clock.Now, Log: r.log,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(l.Close)
	return l
}

func (r *rig) joinedDoor(rep *replica, name string) *proxy.Link {
	r.t.Helper()
	token, err := rep.authority.DoorToken(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	l := r.consoleDoor(rep, name, token, trust.NewVault(r.t.TempDir()))
	if err := l.Join(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return l
}

// TestADoorAsksEveryReplica holds that a door joins, redeems and renews through
// whichever replica of control answers, and that a refusal is an answer.
func TestADoorAsksEveryReplica(t *testing.T) {
	r := newRig(t)
	dead, first, second := r.replica("127.0.0.1:0"), r.replica("127.0.0.1:0"), r.replica("127.0.0.1:0")
	dead.stop()
	r.joined("h1", first)
	token, err := first.authority.DoorToken(t.Context(), "door")
	if err != nil {
		t.Fatal(err)
	}
	vault := trust.NewVault(t.TempDir())
	d := r.consoleDoor(second, "door", token, vault, dead.address, first.address)
	if err := d.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"two of three", "one of three"} {
		if visit, err := d.Redeem(t.Context(), claim("ticket")); err != nil || len(visit.Permit) == 0 {
			t.Fatalf("with %s: %v", who, err)
		}
		if _, err := d.Redeem(t.Context(), claim("guessed")); !domain.IsKind(err, domain.NotFound) {
			t.Errorf("a refusal with %s: %v", who, err)
		}
		first.stop()
	}
	before, _ := vault.Load()
	r.clock.Step(time.Until(before.RenewAt()) + time.Minute)
	if _, err := d.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, _ := vault.Load(); !after.Expires().After(before.Expires()) {
		t.Errorf("renewed until %v", after.Expires())
	}
	second.stop()
	if _, err := d.Redeem(t.Context(), claim("ticket")); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("with none of three: %v", err)
	}
}

// still is a terminal on which nothing happens until it is closed.
type still struct{ *io.PipeReader }

func (s still) Write(p []byte) (int, error) { return len(p), nil }
func (s still) CloseWrite() error           { return nil }
func (s still) Wait() (int, error)          { return 0, nil }

func openStill() (agent.Stream, error) {
	r, _ := io.Pipe()
	return still{r}, nil
}

func claim(secret string) control.TicketClaim {
	return control.TicketClaim{Container: "c1", ExecID: "e1", Secret: secret}
}

func TestAConsoleDoorOpensWhatATicketStandsFor(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	m.hands.open = openStill
	d := r.joinedDoor(rep, "door")
	if _, err := d.Redeem(t.Context(), claim("guessed")); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("a guessed ticket: %v", err)
	}
	visit, err := d.Redeem(t.Context(), claim("ticket"))
	if err != nil || visit.Console != "console-1" || visit.UserID != "u1" || visit.ProjectID != "p1" || visit.Host.Name != "h1" {
		t.Fatalf("got %+v, %v", visit, err)
	}
	s, err := d.Enter(t.Context(), visit)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	_ = s.Close()
	err = errors.Join(d.Keep(t.Context(), []string{visit.Console, "other"}), d.Leave(t.Context(), visit.Console))
	if got := fmt.Sprint(r.brain.kept, r.brain.left); err != nil || got != "[console-1 other] [console-1]" {
		t.Errorf("control was told %s, %v", got, err)
	}
	if _, err := d.Enter(t.Context(), visit); !isRefused(err, "permit-refused") {
		t.Errorf("a permit opened twice: %v", err)
	}
}

// severed is a connection that can be cut so that neither end is told, as by a cable.
type severed struct {
	net.Conn
	cut    *atomic.Bool
	closed chan struct{}
	end    func()
}

func (s severed) Close() error {
	s.end()
	return s.Conn.Close()
}

func (s severed) Write(p []byte) (int, error) {
	if s.cut.Load() {
		return len(p), nil
	}
	return s.Conn.Write(p)
}

func (s severed) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if s.cut.Load() { // not even the other's close arrives
		<-s.closed
		return 0, net.ErrClosed
	}
	return n, err
}

// TestAHalfOpenLinkEndsItsTerminals holds that a host and a console door each notice
// that the other is gone although no connection was closed.
func TestAHalfOpenLinkEndsItsTerminals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	ended := make(chan struct{})
	m.hands.open = func() (agent.Stream, error) {
		out, _ := io.Pipe()
		return told{still{out}, sync.OnceFunc(func() { close(ended) })}, nil
	}
	token, err := rep.authority.DoorToken(t.Context(), "door")
	if err != nil {
		t.Fatal(err)
	}
	cut := &atomic.Bool{}
	d, err := proxy.New(proxy.Deps{
		Name: "door", Controls: []string{rep.address}, Token: token, Vault: trust.NewVault(t.TempDir()), Timing: quickTiming(), Clock: r.clock.Now, Log: r.log,
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := channel.TCP()(ctx, address)
			closed := make(chan struct{})
			return severed{conn, cut, closed, sync.OnceFunc(func() { close(closed) })}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	visit, err := d.Redeem(t.Context(), claim("ticket"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Enter(t.Context(), visit)
	if err != nil {
		t.Fatal(err)
	}
	cut.Store(true)
	begun := time.Now()
	select {
	case <-ended:
		t.Logf("the host noticed after %s", time.Since(begun))
	case <-time.After(20 * time.Second):
		t.Error("the host keeps the terminal of a door that is gone")
	}
	if _, err := s.Read(make([]byte, 1)); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("the door read %v", err)
	}
}

// told is a terminal whose end is told.
type told struct {
	still
	end func()
}

func (s told) Close() error {
	s.end()
	return s.still.Close()
}

func TestPermitsAreForOneTerminalOneDoorAndSeconds(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	m.hands.open = openStill
	d, other := r.joinedDoor(rep, "door"), r.joinedDoor(rep, "other")
	for name, c := range map[string]struct {
		through *proxy.Link
		change  func(*control.Visit)
	}{
		"none":                             {d, func(v *control.Visit) { v.Permit = nil }},
		"of another exec":                  {d, func(v *control.Visit) { v.ExecID = "e2" }},
		"of another container":             {d, func(v *control.Visit) { v.Container = "c2" }},
		"for the container's own terminal": {d, func(v *control.Visit) { v.ExecID = "" }},
		"of another door":                  {other, func(*control.Visit) {}},
		"changed":                          {d, func(v *control.Visit) { v.Permit = []byte(strings.Replace(string(v.Permit), "A", "B", 1)) }},
		"too late":                         {d, func(*control.Visit) { r.clock.Step(trust.PermitLife) }},
	} {
		visit, err := d.Redeem(t.Context(), claim("ticket"))
		if err != nil {
			t.Fatal(err)
		}
		c.change(&visit)
		if _, err := c.through.Enter(t.Context(), visit); !isRefused(err, "permit-refused") {
			t.Errorf("a permit %s: %v", name, err)
		}
	}
}

func isRefused(err error, code string) bool {
	var fault *domain.Fault
	return errors.As(err, &fault) && fault.Kind == domain.Forbidden && fault.Code == code
}

// TestDoorsAndHostsKeepToTheirOwnCalls holds that a door's certificate opens nothing
// but terminals, and that a host's redeems no ticket.
func TestDoorsAndHostsKeepToTheirOwnCalls(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	r.joined("h1", rep)
	door := r.credential(trust.RoleProxy, "door-1")
	host := r.store.host("h1")
	asDoor := r.dialAs(door, host.Address, trust.NodeName(host.ID), trust.RoleNode)
	_, err := linkv1.NewNodeClient(asDoor).ExecRun(t.Context(), &linkv1.ExecRunRequest{HostId: host.ID, Container: "c1", Command: []string{"sh"}})
	wantRole(t, "a door ran a command", err)
	_, err = linkv1.NewNodeClient(asDoor).ExecCreate(t.Context(), &linkv1.ExecCreateRequest{HostId: host.ID, Container: "c1", Command: []string{"sh"}})
	wantRole(t, "a door made a session", err)
	toControl := r.dialAs(door, rep.address, trust.ControlName(), trust.RoleControl)
	_, err = linkv1.NewControlClient(toControl).Report(t.Context(), &linkv1.ReportRequest{HostId: host.ID})
	wantRole(t, "a door reported", err)

	asHost := r.dialAs(r.credential(trust.RoleNode, host.ID), rep.address, trust.ControlName(), trust.RoleControl)
	_, err = linkv1.NewDoorsClient(asHost).Redeem(t.Context(), &linkv1.RedeemRequest{Container: "c1", Secret: "ticket"})
	wantRole(t, "a host redeemed a ticket", err)
	_, err = linkv1.NewDoorsClient(asHost).LeaveConsole(t.Context(), &linkv1.LeaveConsoleRequest{Console: "console-1"})
	wantRole(t, "a host freed a console's seat", err)
}

func TestJoinTokensOfADoor(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	vault := trust.NewVault(t.TempDir())
	forHost := r.token(rep, "door")
	if err := r.consoleDoor(rep, "door", forHost, vault).Join(t.Context()); !isRefused(err, "join-refused") {
		t.Errorf("a host's token let a door in: %v", err)
	}
	token, err := rep.authority.DoorToken(t.Context(), "another")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.consoleDoor(rep, "door", token, vault).Join(t.Context()); !isRefused(err, "join-refused") {
		t.Errorf("another door's token: %v", err)
	}
	if token, err = rep.authority.DoorToken(t.Context(), "door"); err != nil {
		t.Fatal(err)
	}
	if err := r.consoleDoor(rep, "door", token, vault).Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := r.consoleDoor(rep, "door", "", vault) // a restart needs no token
	if err := again.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, _ := vault.Load()
	r.clock.Step(time.Until(before.RenewAt()) + time.Minute)
	if _, err := again.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, _ := vault.Load(); !after.Expires().After(before.Expires()) || after.Identity != before.Identity {
		t.Errorf("renewed to %v", after.Identity)
	}
	if err := r.consoleDoor(rep, "door", token, trust.NewVault(t.TempDir())).Join(t.Context()); !isRefused(err, "join-refused") {
		t.Errorf("a used token: %v", err)
	}
	if err := r.consoleDoor(rep, "door", "", trust.NewVault(t.TempDir())).Join(t.Context()); !domain.IsKind(err, domain.Unauthenticated) {
		t.Errorf("no token: %v", err)
	}
}

func wantRole(t *testing.T, what string, err error) {
	t.Helper()
	if !isRefused(wire.ToError(err, "the peer"), "wrong-role") {
		t.Errorf("%s: %v", what, err)
	}
}
