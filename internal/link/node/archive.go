package node

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

// GetArchive serves the contract.
func (s *service) GetArchive(req *linkv1.ArchiveRequest, stream grpc.ServerStreamingServer[linkv1.ArchiveOutput]) error {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return err
	}
	id := domain.ContainerID(req.GetContainer())
	stat, err := hands.Archives.Get(stream.Context(), id, req.GetPath(), func(chunk []byte) error {
		return inFrames(chunk, func(frame []byte) error {
			return stream.Send(&linkv1.ArchiveOutput{Frame: &linkv1.ArchiveOutput_Data{Data: frame}})
		})
	})
	if err != nil {
		return err
	}
	return stream.Send(&linkv1.ArchiveOutput{Frame: &linkv1.ArchiveOutput_Stat{Stat: wire.FromPathStat(stat)}})
}

type archiveCall = grpc.ClientStreamingServer[linkv1.ArchiveInput, linkv1.PutArchiveReply]

// PutArchive serves the contract.
func (s *service) PutArchive(call archiveCall) error {
	first, err := call.Recv()
	if err != nil {
		return err
	}
	target := first.GetTarget()
	if target == nil {
		return domain.NewFault(domain.Invalid, "bad-archive", "an archive begins with where it goes")
	}
	hands, err := s.hands(target.GetHostId())
	if err != nil {
		return err
	}
	source := &incoming{call: call}
	if err := hands.Archives.Put(call.Context(), domain.ContainerID(target.GetContainer()), target.GetPath(), source); err != nil {
		return err
	}
	return call.SendAndClose(&linkv1.PutArchiveReply{})
}

// incoming reads the frames of an archive as one stream of bytes.
type incoming struct {
	call archiveCall
	rest []byte
	err  error
}

// Read implements io.Reader. Only the end frame is io.EOF.
func (i *incoming) Read(p []byte) (int, error) {
	for len(i.rest) == 0 && i.err == nil {
		i.next()
	}
	if len(i.rest) == 0 {
		return 0, i.err
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

func (i *incoming) next() {
	frame, err := i.call.Recv()
	switch {
	case errors.Is(err, io.EOF):
		i.err = io.ErrUnexpectedEOF
	case err != nil:
		i.err = err
	case frame.GetEnd() != nil:
		i.err = io.EOF
	default:
		i.rest = frame.GetData()
	}
}
