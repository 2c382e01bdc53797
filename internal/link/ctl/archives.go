package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

type archives struct{ calls }

func (a archives) Get(ctx context.Context, id domain.ContainerID, path string, sink control.ByteSink) (domain.PathStat, error) {
	client, err := a.nodes.client(a.host)
	if err != nil {
		return domain.PathStat{}, err
	}
	ctx, cancel := context.WithCancel(ctx) // a sink that fails must end the host's reading too
	defer cancel()
	stream, err := client.GetArchive(ctx, &linkv1.ArchiveRequest{HostId: a.host.ID, Container: string(id), Path: path})
	if err != nil {
		return domain.PathStat{}, wire.HostError(err, a.host.Name)
	}
	for {
		frame, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return domain.PathStat{}, wire.BrokeOff("archive", a.host.Name)
		}
		if err != nil {
			return domain.PathStat{}, wire.HostError(err, a.host.Name)
		}
		if stat := frame.GetStat(); stat != nil {
			return wire.ToPathStat(stat), nil
		}
		if err := sink(frame.GetData()); err != nil {
			return domain.PathStat{}, err
		}
	}
}

func (a archives) Put(ctx context.Context, id domain.ContainerID, path string, source control.ByteSource) error {
	client, err := a.nodes.client(a.host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.PutArchive(ctx)
	if err != nil {
		return wire.HostError(err, a.host.Name)
	}
	target := &linkv1.ArchiveRequest{HostId: a.host.ID, Container: string(id), Path: path}
	err = stream.Send(&linkv1.ArchiveInput{Frame: &linkv1.ArchiveInput_Target{Target: target}})
	if err == nil {
		err = pour(stream, source)
	}
	// io.EOF says only that the host ended the call; its reason comes with the reply.
	if err != nil && !errors.Is(err, io.EOF) {
		return wire.HostError(err, a.host.Name)
	}
	if _, err := stream.CloseAndRecv(); err != nil {
		return wire.HostError(err, a.host.Name)
	}
	return nil
}

// pour sends source to its end and says so. A source that fails sends no end, so
// that the host never takes half an archive for a whole one.
func pour(stream grpc.ClientStreamingClient[linkv1.ArchiveInput, linkv1.PutArchiveReply], source io.Reader) error {
	for {
		buffer := make([]byte, wire.Chunk) // gRPC may keep a frame after Send returned
		n, err := source.Read(buffer)
		if n > 0 {
			frame := &linkv1.ArchiveInput{Frame: &linkv1.ArchiveInput_Data{Data: buffer[:n]}}
			if err := stream.Send(frame); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return stream.Send(&linkv1.ArchiveInput{Frame: &linkv1.ArchiveInput_End{End: &linkv1.ArchiveEnd{}}})
		}
		if err != nil {
			return domain.WrapFault(fmt.Errorf("read archive: %w", err), domain.Invalid, "archive-broken-off", "the archive broke off before its end")
		}
	}
}
