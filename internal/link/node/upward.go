package node

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/member"
	"github.com/go-zun/zun/internal/link/wire"
)

// ask makes a call at the replica of control that answers.
func ask[T any](ctx context.Context, m *member.Member, call func(context.Context, linkv1.ControlClient) (T, error)) (T, error) {
	return member.Ask(ctx, m, func(ctx context.Context, conn grpc.ClientConnInterface) (T, error) {
		return call(ctx, linkv1.NewControlClient(conn))
	})
}

// upward is the agent's Control over the wire.
type upward struct{ link *Link }

var _ agent.Control = upward{}

// Beat fills in the host's uuid where the agent left it empty.
func (u upward) Beat(ctx context.Context, b domain.Beat) (domain.BeatAnswer, error) {
	if b.HostID == "" {
		b.HostID = u.link.HostID()
	}
	req := &linkv1.BeatRequest{Protocol: wire.Protocol, Beat: wire.FromBeat(b)}
	reply, err := ask(ctx, u.link.member, func(ctx context.Context, c linkv1.ControlClient) (*linkv1.BeatReply, error) {
		return c.Beat(ctx, req)
	})
	if err == nil {
		u.link.bars.hear(reply.GetBarred())
	}
	return wire.ToBeatAnswer(reply.GetAnswer()), err
}

func (u upward) Report(ctx context.Context, r domain.Report) (bool, error) {
	req := &linkv1.ReportRequest{HostId: u.link.HostID(), Report: wire.FromReport(r)}
	reply, err := ask(ctx, u.link.member, func(ctx context.Context, c linkv1.ControlClient) (*linkv1.ReportReply, error) {
		return c.Report(ctx, req)
	})
	return reply.GetStale(), err
}

// list is a whole answer to Assignments.
type list struct {
	assignments []domain.Assignment
	revision    int64
}

func (u upward) Assignments(ctx context.Context, after int64) ([]domain.Assignment, int64, error) {
	req := &linkv1.AssignmentsRequest{HostId: u.link.HostID(), After: after}
	whole, err := ask(ctx, u.link.member, func(ctx context.Context, c linkv1.ControlClient) (list, error) {
		return readList(ctx, c, req)
	})
	return whole.assignments, whole.revision, err
}

// readList returns nothing unless the last page came: a list that was cut must not
// look like one in which containers are missing.
func readList(ctx context.Context, c linkv1.ControlClient, req *linkv1.AssignmentsRequest) (list, error) {
	stream, err := c.Assignments(ctx, req)
	if err != nil {
		return list{}, err
	}
	var whole list
	for {
		page, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return list{}, domain.NewFault(domain.Unavailable, "control-unavailable", "the list of assignments broke off")
		}
		if err != nil {
			return list{}, err
		}
		for _, m := range page.GetAssignments() {
			a, err := wire.ToAssignment(m)
			if err != nil {
				return list{}, err
			}
			whole.assignments = append(whole.assignments, a)
		}
		if page.GetLast() {
			whole.revision = page.GetRevision()
			return whole, nil
		}
	}
}
