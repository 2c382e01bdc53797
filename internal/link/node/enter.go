package node

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/member"
	"github.com/go-zun/zun/internal/link/wire"
)

// Enter gives the host its identity, as member.Member.Enter does. Further faults:
// Conflict (the name is alive elsewhere), Unavailable with code "host-unreachable"
// (control cannot dial back).
func (l *Link) Enter(ctx context.Context) error { return l.member.Enter(ctx) }

// Run registers the host's address with control and keeps its certificate fresh, as
// member.Member.Run does.
func (l *Link) Run(ctx context.Context) error { return l.member.Run(ctx) }

// Register tells control where this agent is reached.
func (l *Link) Register(ctx context.Context) error { return l.member.Greet(ctx) }

// Renew replaces the certificate when it is time, as member.Member.Renew does.
func (l *Link) Renew(ctx context.Context) (next time.Duration, err error) { return l.member.Renew(ctx) }

// calls are what a host says of itself.
func (l *Link) calls() member.Calls {
	return member.Calls{
		Join: func(ctx context.Context, conn grpc.ClientConnInterface, secret, csr []byte) ([][]byte, error) {
			reply, err := linkv1.NewControlClient(conn).Join(ctx, &linkv1.JoinRequest{
				Protocol: wire.Protocol, Secret: secret, HostName: l.deps.HostName,
				AdvertiseAddress: l.deps.AdvertiseAddress, Zone: l.deps.Zone, Csr: csr, Replace: l.deps.Replace,
			})
			return reply.GetChain(), err
		},
		Renew: func(ctx context.Context, conn grpc.ClientConnInterface, csr []byte) ([][]byte, error) {
			reply, err := linkv1.NewControlClient(conn).Renew(ctx, &linkv1.RenewRequest{HostId: l.HostID(), Csr: csr})
			return reply.GetChain(), err
		},
		Greet: l.register,
	}
}

// register tells control where this agent is reached.
func (l *Link) register(ctx context.Context, conn grpc.ClientConnInterface) error {
	_, err := linkv1.NewControlClient(conn).Register(ctx, &linkv1.RegisterRequest{
		Protocol: wire.Protocol, HostId: l.HostID(), AdvertiseAddress: l.deps.AdvertiseAddress, Zone: l.deps.Zone,
	})
	return err
}
