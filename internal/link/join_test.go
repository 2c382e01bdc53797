package link_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/ctl"
	"github.com/go-zun/zun/internal/link/node"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

func TestJoinGivesAnIdentityThatSurvivesARestart(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	dir := filepath.Join(t.TempDir(), "state")
	first := r.machine(node.Deps{HostName: "h1", Zone: "z1", Token: r.token(rep, "h1"), Controls: []string{rep.address}, Vault: trust.NewVault(dir)})
	if err := first.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	row := r.store.host("h1")
	if row.ID == "" || first.HostID() != row.ID || row.Zone != "z1" || first.Deployment() != rep.authority.Deployment() {
		t.Fatalf("joined as %q of %q, the row is %+v", first.HostID(), first.Deployment(), row)
	}
	kept, err := os.Stat(filepath.Join(dir, "identity.pem"))
	if err != nil || kept.Mode().Perm() != 0o600 {
		t.Fatalf("identity file: %v %v", kept, err)
	}
	first.stop()

	again := r.machine(node.Deps{HostName: "h1", Controls: []string{rep.address}, Vault: trust.NewVault(dir)})
	if err := again.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := again.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if moved := r.store.host("h1"); moved.ID != row.ID || moved.Address == row.Address {
		t.Fatalf("after a restart at another address the row is %+v, was %+v", moved, row)
	}
	if _, err := again.Control().Beat(t.Context(), domain.Beat{}); err != nil {
		t.Fatal(err)
	}
}

func TestJoinIsRefused(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	foreign := newRig(t).replica("127.0.0.1:0")
	used := r.token(rep, "h1")
	enter := func(d node.Deps) error {
		if d.Controls == nil {
			d.Controls = []string{rep.address}
		}
		return r.machine(d).Enter(t.Context())
	}
	if err := enter(node.Deps{HostName: "h1", Token: used}); err != nil {
		t.Fatal(err)
	}
	t.Run("used twice", func(t *testing.T) {
		wantFault(t, enter(node.Deps{HostName: "h1", Token: used}), domain.Forbidden, "join-refused")
	})
	t.Run("wrong name, and the token stays good", func(t *testing.T) {
		token := r.token(rep, "h2")
		wantFault(t, enter(node.Deps{HostName: "h3", Token: token}), domain.Forbidden, "join-refused")
		if err := enter(node.Deps{HostName: "h2", Token: token}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("unreachable, with the reason, and the token stays good", func(t *testing.T) {
		closed, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := closed.Addr().String()
		_ = closed.Close()
		token := r.token(rep, "h4")
		err = enter(node.Deps{HostName: "h4", Token: token, AdvertiseAddress: address})
		wantFault(t, err, domain.Unavailable, "host-unreachable")
		if text := domain.AsFault(err).Message; !strings.Contains(text, address) || !strings.Contains(text, "refused") {
			t.Errorf("the reason does not help: %s", text)
		}
		if err := enter(node.Deps{HostName: "h4", Token: token}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("another process answers at the address", func(t *testing.T) {
		other := r.joined("h5", rep)
		_ = other
		err := enter(node.Deps{HostName: "h6", Token: r.token(rep, "h6"), AdvertiseAddress: r.store.host("h5").Address})
		wantFault(t, err, domain.Unavailable, "host-unreachable")
	})
	t.Run("foreign control", func(t *testing.T) {
		m := r.machine(node.Deps{HostName: "h7", Token: r.token(rep, "h7"), Controls: []string{foreign.address}})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := m.Enter(ctx); err == nil || m.HostID() != "" {
			t.Fatalf("joined a foreign deployment: %v", err)
		}
	})
	t.Run("malformed and missing tokens", func(t *testing.T) {
		wantFault(t, enter(node.Deps{HostName: "h8", Token: "zun-join-abc"}), domain.Invalid, "bad-join-token")
		wantFault(t, enter(node.Deps{HostName: "h8"}), domain.Unauthenticated, wire.CodeHostGone)
	})
	t.Run("expired token", func(t *testing.T) {
		token := r.token(rep, "h9")
		r.clock.Step(ctl.TokenLife + time.Second)
		wantFault(t, enter(node.Deps{HostName: "h9", Token: token}), domain.Forbidden, "join-refused")
	})
}

func TestALiveNameIsNotTakenOver(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	uuid := r.joined("h1", rep).HostID()
	token := r.token(rep, "h1")
	second := r.machine(node.Deps{HostName: "h1", Token: token, Controls: []string{rep.address}})
	wantFault(t, second.Enter(t.Context()), domain.Conflict, "host-alive")

	replacing := r.machine(node.Deps{HostName: "h1", Token: token, Controls: []string{rep.address}, Replace: true})
	if err := replacing.Enter(t.Context()); err != nil || replacing.HostID() != uuid {
		t.Fatalf("replace gave %q (%v), want %q", replacing.HostID(), err, uuid)
	}
	r.clock.Step(downAfter + time.Second)
	silent := r.machine(node.Deps{HostName: "h1", Token: r.token(rep, "h1"), Controls: []string{rep.address}})
	if err := silent.Enter(t.Context()); err != nil || silent.HostID() != uuid {
		t.Fatalf("a silent host's name gave %q (%v), want %q", silent.HostID(), err, uuid)
	}
}

func TestCertificatesAreRenewedAtTwoThirds(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	renew := func() time.Duration {
		t.Helper()
		next, err := m.Renew(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	if next := renew(); next != time.Hour {
		t.Fatalf("looks again in %v", next)
	}
	// Six weeks: every certificate of both sides ends several times over.
	for range 9 {
		r.clock.Step(trust.Lifetime*2/3 + time.Minute)
		renew()
		fresh := ctl.NewNodes(ctl.NodesDeps{Authority: rep.authority, Dial: channel.TCP(), Timing: quickTiming(), Log: r.log})
		if _, err := fresh.Calls(r.store.host("h1")).Observe(t.Context(), "c1"); err != nil {
			t.Fatal(err)
		}
		fresh.Close()
	}
	if _, err := m.Control().Beat(t.Context(), domain.Beat{}); err != nil {
		t.Fatal(err)
	}
}

func TestAnExpiredOrDeletedHostJoinsAgain(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	vault := trust.NewVault(t.TempDir())
	deps := node.Deps{HostName: "h1", Token: r.token(rep, "h1"), Controls: []string{rep.address}, Vault: vault}
	m := r.machine(deps)
	if err := m.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	uuid := m.HostID()
	r.clock.Step(trust.Lifetime + time.Hour)
	wantFault(t, m.Run(t.Context()), domain.Unauthenticated, wire.CodeHostGone)

	deps.Token = ""
	err := r.machine(deps).Enter(t.Context())
	wantFault(t, err, domain.Unauthenticated, wire.CodeHostGone)
	if !strings.Contains(err.Error(), "join again with a new token") {
		t.Errorf("the message does not help: %v", err)
	}
	deps.Token = r.token(rep, "h1")
	back := r.machine(deps)
	if err := back.Enter(t.Context()); err != nil || back.HostID() != uuid {
		t.Fatalf("came back as %q (%v), was %q", back.HostID(), err, uuid)
	}

	r.store.drop(uuid)
	for name, call := range map[string]func() error{
		"beat":     func() error { _, err := back.Control().Beat(t.Context(), domain.Beat{}); return err },
		"register": func() error { return back.Register(t.Context()) },
		"run":      func() error { return back.Run(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) { wantFault(t, call(), domain.Unauthenticated, wire.CodeHostGone) })
	}
	deps.Token = r.token(rep, "h1")
	again := r.machine(deps)
	if err := again.Enter(t.Context()); err != nil || again.HostID() == uuid {
		t.Fatalf("with a new token it is %q (%v), was %q", again.HostID(), err, uuid)
	}
	if err := again.Register(t.Context()); err != nil {
		t.Errorf("joined again: %v", err)
	}
}

func TestRunRegistersOnceControlAnswers(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	vault := trust.NewVault(t.TempDir())
	deps := node.Deps{HostName: "h1", Token: r.token(rep, "h1"), Controls: []string{rep.address}, Vault: vault}
	first := r.machine(deps)
	if err := first.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.stop()
	rep.stop()
	m := r.machine(deps) // control is away: the host starts all the same
	if err := m.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := r.serve(m.Run)
	r.replica(rep.address)
	eventually(t, "the host is registered", func() bool { return !r.store.host("h1").LastSeenUp.IsZero() })
	stop()
}

func TestReplicasShareOneAuthority(t *testing.T) {
	r := newRig(t)
	one, two := r.replica("127.0.0.1:0"), r.replica("127.0.0.1:0")
	if one.authority.Deployment() != two.authority.Deployment() {
		t.Fatal("two replicas on one store are two deployments")
	}
	m := r.machine(node.Deps{HostName: "h1", Token: r.token(one, "h1"), Controls: []string{two.address}})
	if err := m.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := ctl.OpenAuthority(t.Context(), r.store, seal(0x11), r.clock.Now); err == nil {
		t.Fatal("the authority opened with another key file")
	}
	if strings.Contains(string(r.store.rows.authority.SealedKey), "PRIVATE") {
		t.Fatal("the key lies open in the store")
	}
	for hash := range r.store.rows.tickets {
		if strings.Contains(r.token(one, "x"), hash) {
			t.Fatal("a token lies open in the store")
		}
	}
}

// raw calls control with a certificate of role for id, as a broken or hostile peer might.
func raw(t *testing.T, r *rig, rep *replica, role trust.Role, id string) linkv1.ControlClient {
	t.Helper()
	return linkv1.NewControlClient(r.dialAs(r.credential(role, id), rep.address, trust.ControlName(), trust.RoleControl))
}

// credential is one that the authority signed for whoever the test names.
func (r *rig) credential(role trust.Role, id string) *trust.Credential {
	r.t.Helper()
	who := trust.Identity{Role: role, ID: id, Epoch: 1}
	for _, known := range r.store.admissions() {
		if known.ID == id {
			who.Epoch = known.Epoch
		}
	}
	return r.signed(who)
}

// signed is a credential of that identity.
func (r *rig) signed(who trust.Identity) *trust.Credential {
	r.t.Helper()
	key, err := trust.NewKey()
	if err != nil {
		r.t.Fatal(err)
	}
	var kept control.Authority
	err = r.store.Read(r.t.Context(), func(ctx context.Context, tx control.Tx) (err error) {
		kept, err = tx.Trust().Authority(ctx)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	opened, _ := seal(0x5a).Open(kept.SealedKey)
	ca, err := trust.LoadAuthority(kept.DeploymentID, kept.CertPEM, opened)
	if err != nil {
		r.t.Fatal(err)
	}
	chain, err := ca.Issue(key.Public(), who, r.clock.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	own, err := trust.NewCredential(key, chain)
	if err != nil {
		r.t.Fatal(err)
	}
	return own
}

// dialAs connects to the peer of that server name and role with a credential.
func (r *rig) dialAs(own *trust.Credential, address, name string, role trust.Role) *grpc.ClientConn {
	r.t.Helper()
	config, err := trust.Client(func() (*trust.Credential, error) { return own, nil }, trust.Peer{ServerName: name, Role: role}, r.clock.Now)
	if err != nil {
		r.t.Fatal(err)
	}
	conn, err := channel.Connect(address, config, channel.TCP(), quickTiming())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestACertificateSpeaksForItsHostOnly(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	own, other := r.joined("h1", rep).HostID(), r.joined("h2", rep).HostID()
	check := func(name string, c linkv1.ControlClient, id string, kind domain.FaultKind, code string) {
		ctx := t.Context()
		csr := &linkv1.RenewRequest{HostId: id}
		_, beat := c.Beat(ctx, &linkv1.BeatRequest{Protocol: 1, Beat: &linkv1.Beat{HostId: id}})
		_, report := c.Report(ctx, &linkv1.ReportRequest{HostId: id})
		_, renew := c.Renew(ctx, csr)
		_, register := c.Register(ctx, &linkv1.RegisterRequest{Protocol: 1, HostId: id})
		stream, err := c.Assignments(ctx, &linkv1.AssignmentsRequest{HostId: id})
		if err == nil {
			_, err = stream.Recv()
		}
		for call, err := range map[string]error{"beat": beat, "report": report, "renew": renew, "register": register, "assignments": err} {
			t.Run(name+" "+call, func(t *testing.T) { wantFault(t, wire.ToError(err, "control"), kind, code) })
		}
	}
	check("another host", raw(t, r, rep, trust.RoleNode, own), other, domain.Forbidden, "wrong-host")
	check("a proxy", raw(t, r, rep, trust.RoleProxy, own), own, domain.Forbidden, "wrong-role")
	check("control itself", raw(t, r, rep, trust.RoleControl, own), own, domain.Forbidden, "wrong-role")
	if len(r.brain.reports) != 0 {
		t.Error("a refused report reached the brain")
	}

	config := trust.FirstContact(authorityHash(t, r.token(rep, "x")), r.clock.Now)
	conn, err := channel.Connect(rep.address, config, channel.TCP(), quickTiming())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	check("nobody", linkv1.NewControlClient(conn), own, domain.Unauthenticated, "no-certificate")
}

func authorityHash(t *testing.T, token string) [32]byte {
	t.Helper()
	parsed, err := trust.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Authority
}

func TestVersionsThatCannotTalkSaySo(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	id := r.joined("h1", rep).HostID()
	client := raw(t, r, rep, trust.RoleNode, id)
	for version, code := range map[uint32]string{wire.Protocol + 1: "protocol-too-new", wire.OldestProtocol - 1: "protocol-too-old"} {
		_, err := client.Beat(t.Context(), &linkv1.BeatRequest{Protocol: version, Beat: &linkv1.Beat{HostId: id}})
		wantFault(t, wire.ToError(err, "control"), domain.NotAcceptable, code)
		_, err = client.Join(t.Context(), &linkv1.JoinRequest{Protocol: version})
		wantFault(t, wire.ToError(err, "control"), domain.NotAcceptable, code)
		_, err = client.Register(t.Context(), &linkv1.RegisterRequest{Protocol: version, HostId: id})
		wantFault(t, wire.ToError(err, "control"), domain.NotAcceptable, code)
	}
}

func TestGuessedJoinTokensAreBounded(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	enter := func(name, token string) error {
		bound, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		return r.machine(node.Deps{HostName: name, Token: token, Controls: []string{rep.address}}).Enter(bound)
	}
	used := r.token(rep, "h1")
	if err := enter("h1", used); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		wantFault(t, enter("h2", used), domain.Forbidden, "join-refused")
	}
	if err := enter("h2", r.token(rep, "h2")); err == nil { // an agent waits while it is Unavailable
		t.Error("a host joined from an address that had guessed too often")
	}
}

// TestNoMessageOfAStrangerIsAwaited begins calls and sends nothing in them.
func TestNoMessageOfAStrangerIsAwaited(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	r.joined("h1", rep)
	config := trust.FirstContact(authorityHash(t, r.token(rep, "x")), r.clock.Now)
	stranger, err := channel.Connect(rep.address, config, channel.TCP(), quickTiming())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	host := r.store.host("h1")
	door := r.credential(trust.RoleProxy, "door-1")
	for name, c := range map[string]struct {
		conn         *grpc.ClientConn
		method, code string
		kind         domain.FaultKind
	}{
		"nobody":       {stranger, linkv1.Control_Report_FullMethodName, "no-certificate", domain.Unauthenticated},
		"no such call": {stranger, "/zun.Nothing/Nothing", "no-certificate", domain.Unauthenticated},
		"a door":       {r.dialAs(door, host.Address, trust.NodeName(host.ID), trust.RoleNode), linkv1.Node_PullImage_FullMethodName, "wrong-role", domain.Forbidden},
	} {
		bound, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		stream, err := c.conn.NewStream(bound, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, c.method)
		if err == nil {
			err = stream.RecvMsg(&linkv1.ReportReply{})
		}
		cancel()
		t.Run(name, func(t *testing.T) { wantFault(t, wire.ToError(err, "the server"), c.kind, c.code) })
	}
}

// TestAStrangerMaySayLittle joins with a message that only a peer may send.
func TestAStrangerMaySayLittle(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	config := trust.FirstContact(authorityHash(t, r.token(rep, "x")), r.clock.Now)
	for size, told := range map[int]bool{16 << 10: true, 1 << 20: false} {
		stranger, err := channel.Connect(rep.address, config, channel.TCP(), quickTiming())
		if err != nil {
			t.Fatal(err)
		}
		bound, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err = linkv1.NewControlClient(stranger).Join(bound, &linkv1.JoinRequest{Protocol: wire.Protocol, Csr: make([]byte, size)})
		cancel()
		_ = stranger.Close()
		if fault := wire.ToError(err, "control"); domain.IsKind(fault, domain.Invalid) != told || domain.IsKind(fault, domain.Timeout) {
			t.Errorf("%d bytes: %v", size, fault)
		}
	}
}
