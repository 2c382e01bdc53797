package channel

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxMessage bounds one message in bytes; pages of assignments stay far below.
	maxMessage = 16 << 20
	// streamWindow bounds in bytes what waits for a slow reader of one stream, and
	// connWindow what is under way on a connection. Fixed windows keep memory
	// bounded where gRPC's own estimate would let it grow with the bandwidth.
	streamWindow = 256 << 10
	connWindow   = 1 << 20
	// maxBackoff is low, because a host that came back should be reached at once.
	maxBackoff = 2 * time.Second
)

// Connect returns a connection to address that is opened by the first call. The
// caller closes it.
func Connect(address string, config *tls.Config, dial Dialer, timing Timing) (*grpc.ClientConn, error) {
	slowly := backoff.DefaultConfig
	slowly.BaseDelay, slowly.MaxDelay = 100*time.Millisecond, maxBackoff
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithContextDialer(dial),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: slowly, MinConnectTimeout: timing.Connect}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: timing.Ping, Timeout: timing.PingTimeout}),
		grpc.WithInitialWindowSize(streamWindow),
		grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithDisableServiceConfig(),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare connection to %s: %w", address, err)
	}
	return conn, nil
}

// Bounded returns ctx with the end that timing sets to one call; an earlier end of
// ctx stays.
func (t Timing) Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, t.Call)
}
