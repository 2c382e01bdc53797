package proxy

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/member"
	"github.com/go-zun/zun/internal/link/wire"
)

// Join gives the door its identity, as member.Member.Enter does.
func (l *Link) Join(ctx context.Context) error { return l.member.Enter(ctx) }

// Run keeps the certificate fresh, as member.Member.Run does.
func (l *Link) Run(ctx context.Context) error { return l.member.Run(ctx) }

// Renew replaces the certificate when it is time, as member.Member.Renew does.
func (l *Link) Renew(ctx context.Context) (next time.Duration, err error) { return l.member.Renew(ctx) }

// calls are what a door says of itself. It greets with the consoles of nobody, since
// control keeps nothing else of a door.
func (l *Link) calls() member.Calls {
	return member.Calls{
		Join: func(ctx context.Context, conn grpc.ClientConnInterface, secret, csr []byte) ([][]byte, error) {
			reply, err := linkv1.NewDoorsClient(conn).JoinDoor(ctx, &linkv1.JoinDoorRequest{
				Protocol: wire.Protocol, Secret: secret, Name: l.deps.Name, Csr: csr,
			})
			return reply.GetChain(), err
		},
		Renew: func(ctx context.Context, conn grpc.ClientConnInterface, csr []byte) ([][]byte, error) {
			reply, err := linkv1.NewDoorsClient(conn).RenewDoor(ctx, &linkv1.RenewDoorRequest{Csr: csr})
			return reply.GetChain(), err
		},
		Greet: func(ctx context.Context, conn grpc.ClientConnInterface) error {
			_, err := linkv1.NewDoorsClient(conn).KeepConsoles(ctx, &linkv1.KeepConsolesRequest{})
			return err
		},
	}
}
