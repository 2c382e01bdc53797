package ctl

import (
	"context"
	"errors"
	"io"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

// images are the calls on the images of one host.
type images struct{ calls }

func (c calls) Images() control.ImageCalls { return images{c} }

// Pull is bounded by the caller's ctx alone: how long an image may take is a matter
// of the service's options, not of the link.
func (i images) Pull(ctx context.Context, order domain.ImageOrder, progress func(done, total int64) error) (domain.LocalImage, error) {
	client, err := i.nodes.client(i.host)
	if err != nil {
		return domain.LocalImage{}, err
	}
	ctx, cancel := context.WithCancel(ctx) // a progress that fails must end the host's pull too
	defer cancel()
	stream, err := client.PullImage(ctx, wire.FromImageOrder(i.host.ID, order))
	if err != nil {
		return domain.LocalImage{}, wire.HostError(err, i.host.Name)
	}
	for {
		frame, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return domain.LocalImage{}, wire.BrokeOff("pull", i.host.Name)
		}
		if err != nil {
			return domain.LocalImage{}, wire.HostError(err, i.host.Name)
		}
		if pulled := frame.GetPulled(); pulled != nil {
			return wire.ToLocalImage(pulled), nil
		}
		if err := progress(frame.GetProgress().GetDone(), frame.GetProgress().GetTotal()); err != nil {
			return domain.LocalImage{}, err
		}
	}
}

func (i images) Remove(ctx context.Context, reference string) error {
	_, err := ask(ctx, i.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ImageRequest) (*linkv1.RemoveImageReply, error) {
		return n.RemoveImage(ctx, r)
	}, &linkv1.ImageRequest{HostId: i.host.ID, Reference: reference})
	return err
}

func (i images) Search(ctx context.Context, term string) ([]domain.FoundImage, error) {
	reply, err := ask(ctx, i.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.SearchImagesRequest) (*linkv1.SearchImagesReply, error) {
		return n.SearchImages(ctx, r)
	}, &linkv1.SearchImagesRequest{HostId: i.host.ID, Term: term})
	return wire.ToFoundImages(reply), err
}
