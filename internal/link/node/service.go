package node

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

// service serves the Node contract over the hands that are attached.
type service struct {
	linkv1.UnimplementedNodeServer
	link *Link
}

// hands checks that the call is meant for this host and returns what serves it.
func (s *service) hands(hostID string) (*Hands, error) {
	if own := s.link.HostID(); hostID != own {
		return nil, domain.NewFault(domain.Forbidden, "wrong-host", "this is host %s, not %s", own, hostID)
	}
	hands := s.link.hands.Load()
	if hands == nil {
		return nil, domain.NewFault(domain.Unavailable, "host-starting", "the agent of the host is starting")
	}
	return hands, nil
}

func (s *service) Wake(_ context.Context, req *linkv1.WakeRequest) (*linkv1.WakeReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	hands.Wake(req.GetRevision())
	return &linkv1.WakeReply{}, nil
}

func (s *service) Observe(ctx context.Context, req *linkv1.ContainerRequest) (*linkv1.ObserveReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	seen, err := hands.Calls.Observe(ctx, domain.ContainerID(req.GetContainer()))
	if err != nil {
		return nil, err
	}
	return &linkv1.ObserveReply{Observation: wire.FromObservation(seen)}, nil
}

func (s *service) ExecRun(ctx context.Context, req *linkv1.ExecRunRequest) (*linkv1.ExecRunReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	result, err := hands.Calls.ExecRun(ctx, domain.ContainerID(req.GetContainer()), req.GetCommand())
	if err != nil {
		return nil, err
	}
	return wire.FromExecResult(result), nil
}

func (s *service) Top(ctx context.Context, req *linkv1.TopRequest) (*linkv1.TopReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	table, err := hands.Calls.Top(ctx, domain.ContainerID(req.GetContainer()), req.GetPsArgs())
	if err != nil {
		return nil, err
	}
	return wire.FromProcessTable(table), nil
}

func (s *service) Stats(ctx context.Context, req *linkv1.ContainerRequest) (*linkv1.StatsReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	sample, err := hands.Calls.Stats(ctx, domain.ContainerID(req.GetContainer()))
	if err != nil {
		return nil, err
	}
	return wire.FromStats(sample), nil
}

func (s *service) Logs(req *linkv1.LogsRequest, stream grpc.ServerStreamingServer[linkv1.LogChunk]) error {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return err
	}
	id := domain.ContainerID(req.GetContainer())
	return hands.Calls.Logs(stream.Context(), id, wire.ToLogQuery(req), func(from domain.LogStream, chunk []byte) error {
		return inFrames(chunk, func(frame []byte) error {
			return stream.Send(&linkv1.LogChunk{Stream: uint32(from), Data: frame})
		})
	})
}

// Follow serves the contract.
func (s *service) Follow(req *linkv1.FollowRequest, stream grpc.ServerStreamingServer[linkv1.FollowRecords]) error {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return err
	}
	id := domain.ContainerID(req.GetContainer())
	return hands.Calls.Follow(stream.Context(), id, wire.ToFollowQuery(req.GetQuery()), func(batch []domain.FollowRecord) error {
		return stream.Send(wire.FromFollowRecords(batch))
	})
}

func (s *service) ExecCreate(ctx context.Context, req *linkv1.ExecCreateRequest) (*linkv1.ExecCreateReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	execID, err := hands.Terminals.ExecCreate(ctx, domain.ContainerID(req.GetContainer()), req.GetCommand(), req.GetTty())
	if err != nil {
		return nil, err
	}
	return &linkv1.ExecCreateReply{ExecId: execID}, nil
}

func (s *service) ExecResize(ctx context.Context, req *linkv1.ResizeRequest) (*linkv1.ResizeReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	err = hands.Terminals.ExecResize(ctx, domain.ContainerID(req.GetContainer()), req.GetExecId(), int(req.GetWidth()), int(req.GetHeight()))
	if err != nil {
		return nil, err
	}
	return &linkv1.ResizeReply{}, nil
}

func (s *service) Resize(ctx context.Context, req *linkv1.ResizeRequest) (*linkv1.ResizeReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	err = hands.Terminals.Resize(ctx, domain.ContainerID(req.GetContainer()), int(req.GetWidth()), int(req.GetHeight()))
	if err != nil {
		return nil, err
	}
	return &linkv1.ResizeReply{}, nil
}

// inFrames hands chunk out in copies of at most wire.Chunk bytes. Copies, because
// the engine uses its buffer again while gRPC may still hold a frame.
func inFrames(chunk []byte, send func(frame []byte) error) error {
	for len(chunk) > 0 {
		n := min(len(chunk), wire.Chunk)
		if err := send(append([]byte{}, chunk[:n]...)); err != nil {
			return fmt.Errorf("send stream: %w", err)
		}
		chunk = chunk[n:]
	}
	return nil
}
