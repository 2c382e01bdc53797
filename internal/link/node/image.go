package node

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

// Images are the agent's calls on the images of its engine.
type Images interface {
	Pull(ctx context.Context, order domain.ImageOrder, progress func(done, total int64)) (domain.LocalImage, error)
	Remove(ctx context.Context, reference string) error
	Search(ctx context.Context, term string) ([]domain.FoundImage, error)
}

// pullBeat is how often a pull tells control that it goes on, although no bytes
// come: layers are being unpacked. The contract promises ten seconds.
const pullBeat = 5 * time.Second

type pullCall = grpc.ServerStreamingServer[linkv1.PullImageOutput]

// PullImage serves the contract. The pull runs beside the sending, because the
// engine tells progress at its own times; it is waited for before the call ends.
func (s *service) PullImage(req *linkv1.PullImageRequest, call pullCall) error {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(call.Context())
	defer cancel()
	newest := make(chan *linkv1.PullProgress, 1)
	done := make(chan error, 1)
	var pulled domain.LocalImage
	go func() {
		var err error
		pulled, err = hands.Images.Pull(ctx, wire.ToImageOrder(req), func(done, total int64) {
			select { // only the newest figure counts
			case <-newest:
			default:
			}
			newest <- &linkv1.PullProgress{Done: done, Total: total}
		})
		done <- err
	}()
	sent := followPull(call, newest, done)
	if !sent.ended {
		cancel()
		<-done
	}
	if sent.err != nil {
		return sent.err
	}
	return call.Send(&linkv1.PullImageOutput{Frame: &linkv1.PullImageOutput_Pulled{Pulled: wire.FromLocalImage(pulled)}})
}

// pullEnd tells how following a pull ended; ended says that the pull itself did.
type pullEnd struct {
	ended bool
	err   error
}

func followPull(call pullCall, newest <-chan *linkv1.PullProgress, done <-chan error) pullEnd {
	beat := time.NewTicker(pullBeat)
	defer beat.Stop()
	last := &linkv1.PullProgress{}
	for {
		select {
		case err := <-done:
			return pullEnd{ended: true, err: err}
		case last = <-newest:
		case <-beat.C:
		}
		if err := call.Send(&linkv1.PullImageOutput{Frame: &linkv1.PullImageOutput_Progress{Progress: last}}); err != nil {
			return pullEnd{err: err}
		}
	}
}

// RemoveImage serves the contract.
func (s *service) RemoveImage(ctx context.Context, req *linkv1.ImageRequest) (*linkv1.RemoveImageReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	if err := hands.Images.Remove(ctx, req.GetReference()); err != nil {
		return nil, err
	}
	return &linkv1.RemoveImageReply{}, nil
}

// SearchImages serves the contract.
func (s *service) SearchImages(ctx context.Context, req *linkv1.SearchImagesRequest) (*linkv1.SearchImagesReply, error) {
	hands, err := s.hands(req.GetHostId())
	if err != nil {
		return nil, err
	}
	found, err := hands.Images.Search(ctx, req.GetTerm())
	if err != nil {
		return nil, err
	}
	return wire.FromFoundImages(found), nil
}
