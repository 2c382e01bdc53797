package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// fault translates what the engine says into the agent's words. The text of a
// refusal is shown to the user; that of an engine that is down is ours.
func fault(err error) *domain.Fault {
	var known *domain.Fault
	text := plain(err)
	switch {
	case errors.As(err, &known):
		return known
	case isLost(err):
		return domain.WrapFault(err, domain.Unavailable, agent.CodeLost, "The container engine of the host does not answer.")
	case client.IsErrConnectionFailed(err), isNetwork(err):
		return domain.WrapFault(err, domain.Unavailable, "engine-down", "The container engine of the host does not answer.")
	case errors.Is(err, context.DeadlineExceeded):
		return domain.WrapFault(err, domain.Timeout, "engine-slow", "The container engine of the host took too long.")
	case errors.Is(err, context.Canceled):
		return domain.WrapFault(err, domain.Unavailable, "engine-call-ended", "The call to the container engine was cut short.")
	case strings.Contains(text, "no space left on device"):
		return domain.WrapFault(err, domain.Unavailable, "disk-full", "The disk of the host is full.")
	case errdefs.IsNotFound(err):
		return domain.WrapFault(err, domain.NotFound, "container-not-found", "%s", text)
	case errdefs.IsConflict(err):
		return domain.WrapFault(err, domain.Conflict, "conflict", "%s", text)
	case errdefs.IsInvalidArgument(err):
		return domain.WrapFault(err, domain.Invalid, "invalid", "%s", text)
	default:
		return domain.WrapFault(err, domain.Internal, "engine-error", "The container engine failed: %s", text)
	}
}

// startFault adds to fault what goes wrong only when a process is started.
func startFault(err error) *domain.Fault {
	text := plain(err)
	for _, sign := range []string{"executable file not found", "no such file or directory", "permission denied", "not a directory"} {
		if strings.Contains(text, sign) {
			return domain.WrapFault(err, domain.Invalid, "command-not-run", "The command could not be started: %s", lastReason(text))
		}
	}
	return fault(err)
}

// isLost says that the engine went after it was reached. The client's sentence is the
// only difference between this and an engine that was not there.
func isLost(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op != "dial"
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || client.IsErrConnectionFailed(err) && strings.Contains(err.Error(), "error during connect")
}

func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// plain is the engine's sentence without what the client puts before it.
func plain(err error) string {
	return strings.TrimSpace(strings.TrimPrefix(err.Error(), "Error response from daemon: "))
}

// lastReason cuts the chain of wrappers that runtimes put before the reason.
func lastReason(text string) string {
	if at := strings.LastIndex(text, "exec: "); at >= 0 {
		text = text[at+len("exec: "):]
	}
	text, _, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(text, ": unknown")
}
