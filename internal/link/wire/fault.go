package wire

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

// maxMessage bounds the text of a fault in bytes, because it travels in a header.
const maxMessage = 4 << 10

// CodeHostGone is the code of the Unauthenticated fault that an agent gets when its
// certificate or its host's row is no longer good: only a new join helps.
const CodeHostGone = "host-not-joined"

type kindRow struct {
	kind linkv1.FaultKind
	code codes.Code
}

// row says how kind travels. The gRPC code serves tools that watch the wire; the
// detail is what the other side reads.
func row(kind domain.FaultKind) kindRow {
	switch kind {
	case domain.Invalid:
		return kindRow{linkv1.FaultKind_FAULT_KIND_INVALID, codes.InvalidArgument}
	case domain.Unauthenticated:
		return kindRow{linkv1.FaultKind_FAULT_KIND_UNAUTHENTICATED, codes.Unauthenticated}
	case domain.Forbidden:
		return kindRow{linkv1.FaultKind_FAULT_KIND_FORBIDDEN, codes.PermissionDenied}
	case domain.NotFound:
		return kindRow{linkv1.FaultKind_FAULT_KIND_NOT_FOUND, codes.NotFound}
	case domain.NotAcceptable:
		return kindRow{linkv1.FaultKind_FAULT_KIND_NOT_ACCEPTABLE, codes.FailedPrecondition}
	case domain.Conflict:
		return kindRow{linkv1.FaultKind_FAULT_KIND_CONFLICT, codes.FailedPrecondition}
	case domain.TooLarge:
		return kindRow{linkv1.FaultKind_FAULT_KIND_TOO_LARGE, codes.ResourceExhausted}
	case domain.UnsupportedMedia:
		return kindRow{linkv1.FaultKind_FAULT_KIND_UNSUPPORTED_MEDIA, codes.InvalidArgument}
	case domain.Unavailable:
		return kindRow{linkv1.FaultKind_FAULT_KIND_UNAVAILABLE, codes.Unavailable}
	case domain.Timeout:
		return kindRow{linkv1.FaultKind_FAULT_KIND_TIMEOUT, codes.DeadlineExceeded}
	case domain.Unsupported:
		return kindRow{linkv1.FaultKind_FAULT_KIND_UNSUPPORTED, codes.Unimplemented}
	default:
		return kindRow{linkv1.FaultKind_FAULT_KIND_INTERNAL, codes.Internal}
	}
}

// FromError turns err into a status that carries its fault: kind, code and message,
// never the cause. An error that holds no fault travels as an unexplained Internal
// one; a ctx that ended travels as Timeout.
func FromError(err error) error {
	if err == nil {
		return nil
	}
	fault := FromFault(err)
	plain := status.New(row(toKind(fault.GetKind())).code, fault.GetMessage())
	detailed, failed := plain.WithDetails(fault)
	if failed != nil {
		return plain.Err()
	}
	return detailed.Err()
}

// FromFault puts the fault in err on the wire; an unexplained error becomes an
// Internal one. err must not be nil.
func FromFault(err error) *linkv1.Fault {
	fault := domain.AsFault(err)
	if isContextEnd(err) && fault.Kind == domain.Internal {
		fault = domain.NewFault(domain.Timeout, "timeout", "the call ended before its work did")
	}
	message := text(fault.Message)
	if len(message) > maxMessage {
		message = text(message[:maxMessage])
	}
	return &linkv1.Fault{Kind: row(fault.Kind).kind, Code: text(fault.Code), Message: message}
}

// ToFault reads m.
func ToFault(m *linkv1.Fault) *domain.Fault {
	return domain.NewFault(toKind(m.GetKind()), m.GetCode(), "%s", m.GetMessage())
}

// ToError turns the failure of a call to peer into a fault: the one that the other
// side sent, else Unavailable or Timeout with the peer's name when the connection or
// the time ran out, Unsupported when the peer does not know the call, and Internal
// for the rest. The status is kept as the cause, for the log.
func ToError(err error, peer string) error {
	if err == nil {
		return nil
	}
	st, ok := status.FromError(err)
	if !ok {
		return localError(err, peer)
	}
	for _, detail := range st.Details() {
		if m, is := detail.(*linkv1.Fault); is {
			return ToFault(m)
		}
	}
	switch st.Code() {
	case codes.Unavailable:
		return domain.WrapFault(err, domain.Unavailable, "host-unavailable", "%s does not answer", peer)
	case codes.DeadlineExceeded:
		return domain.WrapFault(errors.Join(context.DeadlineExceeded, err), domain.Timeout, "timeout", "%s did not answer in time", peer)
	case codes.Canceled:
		return domain.WrapFault(errors.Join(context.Canceled, err), domain.Unavailable, "canceled", "the call to %s was given up", peer)
	case codes.Unimplemented:
		return domain.WrapFault(err, domain.Unsupported, "not-supported", "%s does not know this call", peer)
	case codes.ResourceExhausted:
		return domain.WrapFault(err, domain.TooLarge, "too-large", "the answer of %s is too large", peer)
	default:
		return domain.WrapFault(err, domain.Internal, "", "unexpected failure")
	}
}

// host is what users are told of the one that a container is on: its name is for
// administrators, and for the log.
const host = "the host"

// HostError is ToError for a call to the host called name.
func HostError(err error, name string) error {
	if err == nil {
		return nil
	}
	return ToError(fmt.Errorf("host %s: %w", name, err), host)
}

// BrokeOff is that the host called name ended what it was sending before its end.
func BrokeOff(what, name string) error {
	return domain.WrapFault(fmt.Errorf("host %s", name), domain.Unavailable, "host-unavailable", "%s broke the %s off", host, what)
}

// NoAddress is that the host called name has not said where it is reached.
func NoAddress(name string) error {
	return domain.WrapFault(fmt.Errorf("host %s", name), domain.Unavailable, "host-unavailable", "%s has not told its address yet", host)
}

func localError(err error, peer string) error {
	var fault *domain.Fault
	switch {
	case errors.As(err, &fault):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return domain.WrapFault(err, domain.Timeout, "timeout", "%s did not answer in time", peer)
	case errors.Is(err, context.Canceled):
		return domain.WrapFault(err, domain.Unavailable, "canceled", "the call to %s was given up", peer)
	default:
		return domain.WrapFault(err, domain.Internal, "", "unexpected failure")
	}
}

func toKind(kind linkv1.FaultKind) domain.FaultKind {
	for _, k := range domain.FaultKinds() {
		if row(k).kind == kind {
			return k
		}
	}
	return domain.Internal
}

func isContextEnd(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
