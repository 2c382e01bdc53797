package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/domain"
)

type images struct{ e *Engine }

// Present implements agent.Images.
func (i images) Present(ctx context.Context, ref string) (bool, error) {
	_, err := i.e.api.ImageInspect(ctx, ref)
	if err == nil {
		return true, nil
	}
	if f := fault(err); f.Kind != domain.NotFound {
		return false, f
	}
	return false, nil
}

// Pull implements agent.Images. A reference without a tag means latest, never all.
func (i images) Pull(ctx context.Context, ref string, secret *domain.PullSecret, progress func(done, total int64)) error {
	auth, err := registryAuth(secret)
	if err != nil {
		return err
	}
	stream, err := i.e.api.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: auth})
	if err != nil {
		return pullFault(err, ref)
	}
	defer func() { _ = stream.Close() }()
	return follow(ctx, stream, ref, progress)
}

// registryAuth is how the engine is told a credential; none is the empty text.
func registryAuth(secret *domain.PullSecret) (string, error) {
	if secret == nil {
		return "", nil
	}
	auth, err := authconfig.Encode(registry.AuthConfig{Username: secret.Username, Password: secret.Password, ServerAddress: secret.Domain})
	if err != nil {
		return "", fmt.Errorf("encode the registry credential: %w", err)
	}
	return auth, nil
}

// follow reads a pull to its end and adds up what its layers tell.
func follow(ctx context.Context, stream client.ImagePullResponse, ref string, progress func(done, total int64)) error {
	done, total := map[string]int64{}, map[string]int64{}
	for message, err := range stream.JSONMessages(ctx) {
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return pullFault(err, ref)
		}
		if message.Error != nil {
			return pullFault(errors.New(message.Error.Message), ref)
		}
		if count(message, done, total) && progress != nil {
			progress(sum(done), sum(total))
		}
	}
	return nil
}

// count notes what message tells of one layer and whether it told anything.
func count(message jsonstream.Message, done, total map[string]int64) bool {
	switch {
	case message.Status == "Downloading" && message.Progress != nil:
		done[message.ID], total[message.ID] = message.Progress.Current, message.Progress.Total
	case message.Status == "Download complete" || message.Status == "Pull complete":
		done[message.ID] = total[message.ID]
	default:
		return false
	}
	return true
}

func sum(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

// pullFault says in one sentence why an image did not come. Engines wrap the words
// of registries in various ways, so it is the words that are looked for.
func pullFault(err error, ref string) *domain.Fault {
	f := fault(err)
	if f.Code == "engine-down" || f.Code == "disk-full" || f.Code == "engine-call-ended" {
		return f
	}
	text := strings.ToLower(plain(err))
	has := func(signs ...string) bool {
		for _, s := range signs {
			if strings.Contains(text, s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("unauthorized", "authentication required", "no basic auth credentials", "connection reset", "access forbidden", "denied: requested access"):
		// A registry on loopback that wants a log-in resets the plain connection that
		// the engine falls back to.
		return domain.WrapFault(err, domain.Forbidden, "image-forbidden", "The registry did not let image %s be pulled: it wants other credentials.", ref)
	case has("no such host", "connection refused", "i/o timeout", "deadline exceeded", "client.timeout exceeded", "handshake timeout", "network is unreachable", "no route to host", "server misbehaving", "tls:", "x509:"):
		return domain.WrapFault(err, domain.Unavailable, "registry-unreachable", "The registry of image %s cannot be reached from the host.", ref)
	case f.Kind == domain.NotFound, has("not found", "manifest unknown", "does not exist"):
		return domain.WrapFault(err, domain.NotFound, "image-not-found", "Image %s could not be found.", ref)
	default:
		return f
	}
}

// Remove implements agent.Images.
func (i images) Remove(ctx context.Context, ref string) error {
	_, err := i.e.api.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
	if err != nil && fault(err).Kind == domain.Conflict {
		return domain.WrapFault(err, domain.Conflict, "image-in-use", "Image %s is in use on its host.", ref)
	}
	return goneIsFine(err)
}
