package ctl

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/peer"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/gate"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

const binary = "zun-compute"

// Admission is what is written of a host that joins.
type Admission struct {
	HostName string
	Address  string // where control dials its agent
	Zone     string // empty: the one it had
	Replace  bool   // although a host of that name is alive
}

// Admit makes the credential of a host that runs in this very process, where there
// is nobody to prove anything to. A name that is known keeps its uuid.
func (a *Authority) Admit(ctx context.Context, want Admission) (*trust.Credential, error) {
	want.Replace = true
	var who trust.Identity
	err := a.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		_, who, err = enrol(ctx, tx, want, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("admit host %s: %w", want.HostName, err)
	}
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	chain, err := a.ca.Issue(key.Public(), who, a.now())
	if err != nil {
		return nil, err
	}
	return trust.NewCredential(key, chain)
}

// Join serves the contract. The token is looked at first and redeemed last: an
// unknown peer must not make control dial anything, and a host that is refused for
// a reason that can be mended should not need another token.
func (s *Server) Join(ctx context.Context, req *linkv1.JoinRequest) (*linkv1.JoinReply, error) {
	if err := checkProtocol(req.GetProtocol()); err != nil {
		return nil, err
	}
	if err := s.gate.Enter(addressOf(ctx)); err != nil {
		return nil, err
	}
	public, err := trust.ReadRequest(req.GetCsr())
	if err != nil {
		return nil, err
	}
	subject, err := s.authority.look(ctx, req.GetSecret())
	if err != nil {
		countRefused(ctx, s.gate, err)
		return nil, err
	}
	if subject != req.GetHostName() {
		return nil, domain.NewFault(domain.Forbidden, "join-refused", "the join token is for another host than %s", req.GetHostName())
	}
	if err := s.lookBack(ctx, req.GetAdvertiseAddress(), trust.LookBack(public, s.now)); err != nil {
		return nil, err
	}
	return s.admit(ctx, req, public)
}

// addressOf is where a call comes from; zero where it comes from within this process.
func addressOf(ctx context.Context) netip.Addr {
	caller, known := peer.FromContext(ctx)
	if !known {
		return netip.Addr{}
	}
	from, _ := netip.ParseAddrPort(caller.Addr.String()) // no address of a network is zero as well
	return from.Addr().Unmap()
}

// countRefused counts a join that was refused because of its token.
func countRefused(ctx context.Context, g *gate.Gate, err error) {
	if domain.IsKind(err, domain.Forbidden) {
		g.Failed(addressOf(ctx))
	}
}

func (s *Server) admit(ctx context.Context, req *linkv1.JoinRequest, public *ecdsa.PublicKey) (*linkv1.JoinReply, error) {
	var host domain.Host
	var who trust.Identity
	want := Admission{HostName: req.GetHostName(), Address: req.GetAdvertiseAddress(), Zone: req.GetZone(), Replace: req.GetReplace()}
	err := s.authority.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		if _, err = redeem(ctx, tx, control.TicketJoin, req.GetSecret()); err != nil {
			return err
		}
		host, who, err = enrol(ctx, tx, want, s.downAfter)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("admit host %s: %w", req.GetHostName(), err)
	}
	chain, err := s.authority.ca.Issue(public, who, s.now())
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "host joined", "host", host.Name, "uuid", host.ID, "epoch", who.Epoch, "address", host.Address)
	return &linkv1.JoinReply{HostId: host.ID, Chain: chain}, nil
}

// enrol finds or makes the row of a joining host. A name that is known keeps its
// uuid, so that its containers stay its own; the row is written before any
// certificate exists, because a certificate without a row could not be revoked. The
// epoch of the identity is new, so that no certificate of a former join is taken.
func enrol(ctx context.Context, tx control.Tx, want Admission, downAfter time.Duration) (domain.Host, trust.Identity, error) {
	host, err := hostToBe(ctx, tx, want, downAfter)
	if err != nil {
		return domain.Host{}, trust.Identity{}, err
	}
	host.Address = want.Address
	if want.Zone != "" {
		host.Zone = want.Zone
	}
	if err := tx.Hosts().Upsert(ctx, host); err != nil {
		return domain.Host{}, trust.Identity{}, fmt.Errorf("write host: %w", err)
	}
	admitted, err := tx.Trust().Admissions().Admit(ctx, domain.Admission{Role: domain.PeerHost, Name: host.Name, ID: host.ID})
	if err != nil {
		return domain.Host{}, trust.Identity{}, fmt.Errorf("write admission: %w", err)
	}
	return host, trust.Identity{Role: trust.RoleNode, ID: host.ID, Epoch: admitted.Epoch}, nil
}

// hostToBe returns the row of the host of that name, or a new one; Conflict for a name
// that is alive and not to be replaced.
func hostToBe(ctx context.Context, tx control.Tx, want Admission, downAfter time.Duration) (domain.Host, error) {
	host, err := tx.Hosts().Get(ctx, want.HostName)
	switch {
	case domain.IsKind(err, domain.NotFound):
		host = domain.Host{ID: uuid.NewString(), Name: want.HostName, Binary: binary}
	case err != nil:
		return domain.Host{}, fmt.Errorf("look for the host's name: %w", err)
	case !want.Replace:
		now, err := tx.Hosts().Now(ctx)
		if err != nil {
			return domain.Host{}, err
		}
		// A host that never beat may have failed to keep its certificate: it tries again.
		if host.Up(now, downAfter) {
			return domain.Host{}, domain.NewFault(domain.Conflict, "host-alive",
				"a host named %s is alive; stop its agent, or join with replace", host.Name)
		}
	}
	return host, nil
}

// lookBack opens and closes a TLS connection to address; what cannot be reached now
// could never be woken or asked later.
func (s *Server) lookBack(ctx context.Context, address string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, s.timing.Connect)
	defer cancel()
	raw, err := s.dial(ctx, address)
	if err == nil {
		conn := tls.Client(raw, config)
		err = conn.HandshakeContext(ctx)
		_ = conn.Close()
	}
	if err == nil {
		return nil
	}
	return domain.WrapFault(err, domain.Unavailable, "host-unreachable",
		"control cannot reach the agent at its advertise_address %s: %s", address, reasonOf(err))
}

// reasonOf is the part of a dial error that helps an operator and tells nothing
// about control's own addresses.
func reasonOf(err error) string {
	var fault *domain.Fault
	var operation *net.OpError
	switch {
	case errors.As(err, &fault):
		return fault.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &operation) && operation.Err != nil:
		return operation.Err.Error()
	default:
		return err.Error()
	}
}

// Renew serves the contract.
func (s *Server) Renew(ctx context.Context, req *linkv1.RenewRequest) (*linkv1.RenewReply, error) {
	host, err := s.known(ctx, req.GetHostId())
	if err != nil {
		return nil, err
	}
	public, err := trust.ReadRequest(req.GetCsr())
	if err != nil {
		return nil, err
	}
	chain, err := s.authority.ca.Issue(public, trust.Identity{Role: trust.RoleNode, ID: host.ID, Epoch: channel.Caller(ctx).Epoch}, s.now())
	if err != nil {
		return nil, err
	}
	return &linkv1.RenewReply{Chain: chain}, nil
}

// Register serves the contract. The address is dialled again only when it changed,
// so that a replica with a network trouble of its own turns no known host away.
func (s *Server) Register(ctx context.Context, req *linkv1.RegisterRequest) (*linkv1.RegisterReply, error) {
	if err := checkProtocol(req.GetProtocol()); err != nil {
		return nil, err
	}
	host, err := s.known(ctx, req.GetHostId())
	if err != nil {
		return nil, err
	}
	if host.Address != req.GetAdvertiseAddress() {
		config, err := trust.Client(s.authority.Credential, trust.Peer{ServerName: trust.NodeName(host.ID), Role: trust.RoleNode}, s.now)
		if err != nil {
			return nil, err
		}
		if err := s.lookBack(ctx, req.GetAdvertiseAddress(), config); err != nil {
			return nil, err
		}
	}
	host.Address, host.Binary = req.GetAdvertiseAddress(), binary
	if req.GetZone() != "" {
		host.Zone = req.GetZone()
	}
	if _, err := s.brain.RegisterHost(ctx, host); err != nil {
		return nil, fmt.Errorf("register host %s: %w", host.Name, err)
	}
	return &linkv1.RegisterReply{Protocol: wire.Protocol}, nil
}

func checkProtocol(version uint32) error {
	switch {
	case version < wire.OldestProtocol:
		return domain.NewFault(domain.NotAcceptable, "protocol-too-old",
			"the agent speaks version %d of the link and control serves %d to %d; upgrade the agent", version, wire.OldestProtocol, wire.Protocol)
	case version > wire.Protocol:
		return domain.NewFault(domain.NotAcceptable, "protocol-too-new",
			"the agent speaks version %d of the link and control serves %d to %d; control is upgraded first", version, wire.OldestProtocol, wire.Protocol)
	}
	return nil
}
