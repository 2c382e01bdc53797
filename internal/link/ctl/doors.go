package ctl

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/gate"
	"github.com/go-zun/zun/internal/link/trust"
)

// doors serves the console doors that run elsewhere. They hold no password of the
// database and see of a deployment only what a user's ticket shows them.
type doors struct {
	linkv1.UnimplementedDoorsServer
	authority *Authority
	brain     Brain
	gate      *gate.Gate
	now       trust.Clock
	log       *slog.Logger
}

// JoinDoor serves the contract.
func (d *doors) JoinDoor(ctx context.Context, req *linkv1.JoinDoorRequest) (*linkv1.JoinDoorReply, error) {
	if err := checkProtocol(req.GetProtocol()); err != nil {
		return nil, err
	}
	if err := d.gate.Enter(addressOf(ctx)); err != nil {
		return nil, err
	}
	public, err := trust.ReadRequest(req.GetCsr())
	if err != nil {
		return nil, err
	}
	var who trust.Identity
	err = d.authority.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		ticket, err := redeem(ctx, tx, control.TicketDoor, req.GetSecret())
		if err == nil && ticket.Subject != req.GetName() {
			err = domain.NewFault(domain.Forbidden, "join-refused", "the join token is for another console door than %s", req.GetName())
		}
		if err != nil {
			return err
		}
		who, err = admitDoor(ctx, tx, req.GetName())
		return err
	})
	if err != nil {
		countRefused(ctx, d.gate, err)
		return nil, err
	}
	chain, err := d.issue(public, who)
	if err != nil {
		return nil, err
	}
	d.log.InfoContext(ctx, "console door joined", "door", req.GetName(), "id", who.ID, "epoch", who.Epoch)
	return &linkv1.JoinDoorReply{Chain: chain}, nil
}

// admitDoor admits the door of that name. A name that is known keeps its id, so that
// hosts can be told to bar whoever had it before.
func admitDoor(ctx context.Context, tx control.Tx, name string) (trust.Identity, error) {
	all, err := tx.Trust().Admissions().List(ctx)
	if err != nil {
		return trust.Identity{}, fmt.Errorf("look for the door's name: %w", err)
	}
	door := domain.Admission{Role: domain.PeerDoor, Name: name, ID: uuid.NewString()}
	for _, known := range all {
		if known.Role == domain.PeerDoor && known.Name == name {
			door.ID = known.ID
		}
	}
	door, err = tx.Trust().Admissions().Admit(ctx, door)
	if err != nil {
		return trust.Identity{}, fmt.Errorf("write admission: %w", err)
	}
	return trust.Identity{Role: trust.RoleProxy, ID: door.ID, Epoch: door.Epoch}, nil
}

// RenewDoor serves the contract.
func (d *doors) RenewDoor(ctx context.Context, req *linkv1.RenewDoorRequest) (*linkv1.RenewDoorReply, error) {
	public, err := trust.ReadRequest(req.GetCsr())
	if err != nil {
		return nil, err
	}
	chain, err := d.issue(public, channel.Caller(ctx))
	return &linkv1.RenewDoorReply{Chain: chain}, err
}

// issue makes a certificate that opens no call but those of doors.
func (d *doors) issue(public *ecdsa.PublicKey, who trust.Identity) ([][]byte, error) {
	return d.authority.ca.Issue(public, trust.Identity{Role: trust.RoleProxy, ID: who.ID, Epoch: who.Epoch}, d.now())
}

// Redeem serves the contract.
func (d *doors) Redeem(ctx context.Context, req *linkv1.RedeemRequest) (*linkv1.RedeemReply, error) {
	claim := control.TicketClaim{Container: domain.ContainerID(req.GetContainer()), ExecID: req.GetExecId(), Secret: req.GetSecret()}
	visit, err := d.brain.Redeem(ctx, claim)
	if err != nil {
		return nil, err
	}
	host, err := d.authority.roll.Epoch(ctx, visit.Host.ID)
	if err != nil {
		return nil, err
	}
	caller := channel.Caller(ctx)
	permit, err := d.authority.ca.Permit(trust.Permit{
		Door: caller.ID, Epoch: caller.Epoch, Host: visit.Host.ID, Container: string(visit.Container), ExecID: visit.ExecID,
	}, d.now())
	if err != nil {
		return nil, err
	}
	return &linkv1.RedeemReply{
		HostId: visit.Host.ID, HostName: visit.Host.Name, HostAddress: visit.Host.Address,
		UserId: visit.UserID, ProjectId: visit.ProjectID, Permit: permit, Console: visit.Console, HostEpoch: host,
	}, nil
}

// KeepConsoles serves the contract. A console's id is as random as a ticket, so no
// door knows another's.
func (d *doors) KeepConsoles(ctx context.Context, req *linkv1.KeepConsolesRequest) (*linkv1.KeepConsolesReply, error) {
	return &linkv1.KeepConsolesReply{}, d.brain.Keep(ctx, req.GetConsoles())
}

// LeaveConsole serves the contract.
func (d *doors) LeaveConsole(ctx context.Context, req *linkv1.LeaveConsoleRequest) (*linkv1.LeaveConsoleReply, error) {
	return &linkv1.LeaveConsoleReply{}, d.brain.Leave(ctx, req.GetConsole())
}
