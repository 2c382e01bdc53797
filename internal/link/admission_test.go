package link_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/ctl"
	"github.com/go-zun/zun/internal/link/node"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// revoke takes the admission of the peer with that id back, as an operator does.
func (r *rig) revoke(id string) {
	r.t.Helper()
	err := r.store.Write(r.t.Context(), func(ctx context.Context, tx control.Tx) error { return tx.Trust().Admissions().Revoke(ctx, id) })
	if err != nil {
		r.t.Fatal(err)
	}
}

// idOf is the id of the door of that name.
func (r *rig) idOf(door string) string {
	r.t.Helper()
	for _, a := range r.store.admissions() {
		if a.Role == domain.PeerDoor && a.Name == door {
			return a.ID
		}
	}
	r.t.Fatalf("no door %s among %+v", door, r.store.admissions())
	return ""
}

// refusedForGood waits until call is refused with a sentence that says why and what to do.
func refusedForGood(t *testing.T, why string, call func() error) {
	t.Helper()
	var err error
	eventually(t, "refused: "+why, func() bool {
		err = call()
		return domain.IsKind(err, domain.Unauthenticated)
	})
	wantFault(t, err, domain.Unauthenticated, wire.CodeHostGone)
	for _, part := range []string{why, "join again with a new token"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the sentence does not tell %q: %v", part, err)
		}
	}
}

// running runs fn and tells how it ended.
func running(t *testing.T, fn func(ctx context.Context) error) <-chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var all sync.WaitGroup
	all.Go(func() { ended <- fn(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
	return ended
}

// endedFor waits until what runs has ended, for good and for that reason.
func endedFor(t *testing.T, why string, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		refusedForGood(t, why, func() error { return err })
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
}

// openAt counts the terminals that end at a host.
func openAt(m *machine) (ended chan struct{}) {
	ended = make(chan struct{}, 10)
	m.hands.open = func() (agent.Stream, error) {
		out, _ := io.Pipe()
		return told{still{out}, sync.OnceFunc(func() { ended <- struct{}{} })}, nil
	}
	return ended
}

func awaited(t *testing.T, what string, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: not within ten seconds", what)
	}
}

// TestAReplacedHostIsRefused holds that whoever had the name before is turned away by
// every replica, with the reason, that its open streams end and that control takes no
// answer of it any more.
func TestAReplacedHostIsRefused(t *testing.T) {
	r := newRig(t)
	rep, other := r.replica("127.0.0.1:0"), r.replica("127.0.0.1:0")
	old := r.joined("h1", rep, other)
	ended := openAt(old)
	was := r.store.host("h1")
	stream, err := other.nodes.Calls(was).Terminals().Open(t.Context(), "c1", "e1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	ran := running(t, old.Run)

	fresh := r.machine(node.Deps{HostName: "h1", Token: r.token(rep, "h1"), Controls: []string{other.address}, Replace: true})
	if err := fresh.Enter(t.Context()); err != nil || fresh.HostID() != old.HostID() {
		t.Fatalf("replaced as %q (%v), was %q", fresh.HostID(), err, old.HostID())
	}
	if err := fresh.Register(t.Context()); err != nil {
		t.Fatalf("who replaced it is refused: %v", err)
	}
	refusedForGood(t, "took the place of this one", func() error { _, err := old.Control().Beat(t.Context(), domain.Beat{}); return err })
	endedFor(t, "took the place of this one", ran)
	awaited(t, "the replaced host's terminal is cut", ended)
	reports := len(r.brain.reports)
	if _, err := old.Control().Report(t.Context(), domain.Report{}); err == nil || len(r.brain.reports) != reports {
		t.Errorf("a report of the replaced host was taken (%v)", err)
	}
	if _, err := other.nodes.Calls(was).Observe(t.Context(), "c1"); err == nil {
		t.Error("control still asks the replaced host")
	}
	if _, err := other.nodes.Calls(r.store.host("h1")).Observe(t.Context(), "c1"); err != nil {
		t.Errorf("control cannot ask the new one: %v", err)
	}
	// A restart with the kept certificate is refused just so, at once and for good.
	vault := trust.NewVault(t.TempDir())
	if err := vault.Save(r.outdated(trust.RoleNode, old.HostID(), 1)); err != nil {
		t.Fatal(err)
	}
	again := r.machine(node.Deps{HostName: "h1", Controls: []string{rep.address}, Vault: vault})
	if err := again.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	endedFor(t, "took the place of this one", running(t, again.Run))
}

// outdated is a credential of another epoch than the present.
func (r *rig) outdated(role trust.Role, id string, epoch int64) *trust.Credential {
	r.t.Helper()
	return r.signed(trust.Identity{Role: role, ID: id, Epoch: epoch})
}

func TestARevokedHostJoinsAgain(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	ran := running(t, m.Run)
	r.revoke(m.HostID())
	refusedForGood(t, "was revoked at", func() error { _, err := m.Control().Beat(t.Context(), domain.Beat{}); return err })
	endedFor(t, "was revoked at", ran)
	r.clock.Step(downAfter + time.Second)
	vault := trust.NewVault(t.TempDir())
	if err := vault.Save(r.outdated(trust.RoleNode, m.HostID(), 1)); err != nil {
		t.Fatal(err)
	}
	// A new token is used although the kept certificate is not over.
	back := r.machine(node.Deps{HostName: "h1", Token: r.token(rep, "h1"), Controls: []string{rep.address}, Vault: vault})
	var err error
	for range 10 { // where nobody answered whether the kept one is good it stays in force
		if err := back.Enter(t.Context()); err != nil || back.HostID() != m.HostID() {
			t.Fatalf("came back as %q (%v), was %q", back.HostID(), err, m.HostID())
		}
		if err = back.Register(t.Context()); err == nil {
			return
		}
	}
	t.Errorf("joined again: %v", err)
}

// TestARevokedDoorIsShutOut holds that neither control nor a host opens anything more
// to it, not even with a permit that it got before, and that what it has open ends.
func TestARevokedDoorIsShutOut(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	ended := openAt(m)
	d, spare := r.joinedDoor(rep, "door"), r.joinedDoor(rep, "spare")
	ran, goes := running(t, d.Run), running(t, spare.Run)
	visit, err := d.Redeem(t.Context(), claim("ticket"))
	if err != nil {
		t.Fatal(err)
	}
	later, err := d.Redeem(t.Context(), claim("ticket"))
	if err != nil {
		t.Fatal(err)
	}
	console, err := d.Enter(t.Context(), visit)
	if err != nil {
		t.Fatal(err)
	}
	r.revoke(r.idOf("door"))
	refusedForGood(t, "was revoked at", func() error { _, err := d.Redeem(t.Context(), claim("ticket")); return err })
	if _, err := m.Control().Beat(t.Context(), domain.Beat{}); err != nil {
		t.Fatal(err)
	}
	awaited(t, "the door's console is cut", ended)
	if _, err := console.Read(make([]byte, 1)); err == nil {
		t.Error("the door's end of the console goes on")
	}
	if _, err := d.Enter(t.Context(), later); !isRefused(err, "door-barred") {
		t.Errorf("a permit from before the revocation: %v", err)
	}
	endedFor(t, "was revoked at", ran)

	visit, err = spare.Redeem(t.Context(), claim("ticket"))
	if err != nil {
		t.Fatal(err)
	}
	if console, err = spare.Enter(t.Context(), visit); err != nil {
		t.Fatalf("another door: %v", err)
	}
	_ = console.Close()
	select {
	case err := <-goes:
		t.Errorf("another door ended: %v", err)
	default:
	}
	r.clock.Step(trust.PermitLife) // the permits from before are over
	visit, err = r.joinedDoor(rep, "door").Redeem(t.Context(), claim("ticket"))
	if err != nil || len(visit.Permit) == 0 {
		t.Errorf("the door that joined again: %v", err)
	}
}

// TestADoorTakesItsNameOver holds that of two doors of one name the one that joined
// last is the door.
func TestADoorTakesItsNameOver(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	r.joined("h1", rep)
	former := r.joinedDoor(rep, "door")
	latter := r.joinedDoor(rep, "door")
	refusedForGood(t, "took the place of this one", func() error { _, err := former.Redeem(t.Context(), claim("ticket")); return err })
	if _, err := latter.Redeem(t.Context(), claim("ticket")); err != nil {
		t.Error(err)
	}
}

// TestRenewalKeepsTheEpoch holds that a certificate of a later join is renewed as such.
func TestRenewalKeepsTheEpoch(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	r.joined("h1", rep)
	r.clock.Step(downAfter + time.Second)
	vault := trust.NewVault(t.TempDir())
	m := r.machine(node.Deps{HostName: "h1", Token: r.token(rep, "h1"), Controls: []string{rep.address}, Vault: vault})
	if err := m.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.clock.Step(trust.Lifetime*2/3 + time.Minute)
		if _, err := m.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept, err := vault.Load(); err != nil || kept.Identity.Epoch != 2 || !kept.Expires().After(r.clock.Now()) {
			t.Fatalf("kept %+v, %v", kept, err)
		}
		if err := m.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificatesOfBeforeAreOfTheFirstEpoch holds that who joined before there were
// epochs goes on, and can be revoked.
func TestCertificatesOfBeforeAreOfTheFirstEpoch(t *testing.T) {
	r := newRig(t)
	one, two := r.replica("127.0.0.1:0"), r.replica("127.0.0.1:0")
	id := r.joined("h1", one).HostID()
	const door = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
	host := linkv1.NewControlClient(r.dialAs(r.outdated(trust.RoleNode, id, 0), one.address, trust.ControlName(), trust.RoleControl))
	register := &linkv1.RegisterRequest{Protocol: wire.Protocol, HostId: id, AdvertiseAddress: r.store.host("h1").Address}
	if _, err := host.Register(t.Context(), register); err != nil {
		t.Errorf("a host of before: %v", err)
	}
	for _, rep := range []*replica{one, two} { // the first call makes it known, also to the other
		client := linkv1.NewDoorsClient(r.dialAs(r.outdated(trust.RoleProxy, door, 0), rep.address, trust.ControlName(), trust.RoleControl))
		if _, err := client.Redeem(t.Context(), &linkv1.RedeemRequest{Container: "c1", Secret: "ticket"}); err != nil {
			t.Errorf("a door of before: %v", err)
		}
	}
	r.revoke(door)
	client := linkv1.NewDoorsClient(r.dialAs(r.outdated(trust.RoleProxy, door, 0), one.address, trust.ControlName(), trust.RoleControl))
	refusedForGood(t, "was revoked at", func() error {
		_, err := client.Redeem(t.Context(), &linkv1.RedeemRequest{Container: "c1", Secret: "ticket"})
		return wire.ToError(err, "control")
	})
}

// TestAdmissionNeedsNoClockThatAgrees holds that neither a peer whose clock is minutes
// off nor a control whose clock is set back changes who is admitted.
func TestAdmissionNeedsNoClockThatAgrees(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	for _, step := range []time.Duration{-4 * time.Minute, 8 * time.Minute, -4 * time.Minute} {
		r.clock.Step(step)
		if _, err := m.Control().Beat(t.Context(), domain.Beat{}); err != nil {
			t.Fatalf("after %v: %v", step, err)
		}
	}
	r.clock.Step(-4 * time.Minute)
	if _, err := rep.authority.Admit(t.Context(), ctl.Admission{HostName: "h1", Address: "elsewhere"}); err != nil {
		t.Fatal(err)
	}
	refusedForGood(t, "took the place of this one", func() error { return m.Register(t.Context()) })
}
