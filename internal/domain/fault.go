package domain

import (
	"errors"
	"fmt"
	"strings"
)

// FaultKind is the class of a failure. The set is closed: every door maps each
// kind to exactly one answer, and anything that is no Fault is Internal.
type FaultKind uint8

// The kinds of failure.
const (
	Internal         FaultKind = iota // a bug or an unexplained failure; the text stays in the log
	Invalid                           // the request itself is wrong
	Unauthenticated                   // nobody known is asking
	Forbidden                         // somebody known may not
	NotFound                          // the named thing does not exist for this actor
	NotAcceptable                     // the asked version or media type is not served
	Conflict                          // the thing is in a state or under a name that forbids it
	TooLarge                          // a bounded size was passed
	UnsupportedMedia                  // the body's media type is not understood
	Unavailable                       // a host or a back end does not answer; trying again may help
	Timeout                           // accepted, but not finished within the time to wait
	Unsupported                       // the chosen driver cannot do this
	numFaultKinds
)

// FaultKinds lists every kind, for tests that walk a door's map.
func FaultKinds() []FaultKind {
	kinds := make([]FaultKind, 0, numFaultKinds)
	for k := Internal; k < numFaultKinds; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// Fault is the one error type that crosses the rooms of the house. Code is the
// kebab-case word that clients see behind "container."; Message is shown to the
// user, the wrapped cause only to the log.
type Fault struct {
	Kind    FaultKind
	Code    string
	Message string
	cause   error
}

// Error returns the user's text followed by the cause, for the log.
func (f *Fault) Error() string {
	if f.cause == nil {
		return f.Message
	}
	return strings.TrimSuffix(f.Message, ".") + ": " + f.cause.Error()
}

// Unwrap returns the cause, nil if there is none.
func (f *Fault) Unwrap() error { return f.cause }

// NewFault makes a Fault whose message is formatted from format and args.
func NewFault(kind FaultKind, code, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// WrapFault makes a Fault that keeps cause for the log and hides it from the user.
func WrapFault(cause error, kind FaultKind, code, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...), cause: cause}
}

// AsFault returns the Fault in err's chain; an error that holds none becomes an
// Internal Fault around it. It returns nil for nil.
func AsFault(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Kind: Internal, Message: "unexpected failure", cause: err}
}

// KindOf returns the kind of err, Internal for anything that is no Fault.
// It must not be asked of nil.
func KindOf(err error) FaultKind { return AsFault(err).Kind }

// IsKind says whether err is a Fault of kind.
func IsKind(err error, kind FaultKind) bool { return err != nil && KindOf(err) == kind }
