package wire

import (
	"net/netip"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

// Protocol is the version of the contract that this build speaks. Control serves
// agents of this version and of OldestProtocol and later; an agent that is newer
// is refused, because control is upgraded first.
const (
	Protocol       uint32 = 1
	OldestProtocol uint32 = 1
)

// Chunk is how many bytes one frame of a stream carries at most.
const Chunk = 32 << 10

func fromTime(t time.Time) *linkv1.Instant {
	if t.IsZero() {
		return nil
	}
	return &linkv1.Instant{Seconds: t.Unix(), Nanos: int32(t.Nanosecond())}
}

func toTime(i *linkv1.Instant) time.Time {
	if i == nil {
		return time.Time{}
	}
	return time.Unix(i.GetSeconds(), int64(i.GetNanos())).UTC()
}

// text makes s fit to travel: engines hand out strings that need not be UTF-8,
// and one such string must not lose the whole message.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func texts(list []string) []string {
	return each(list, text)
}

func fromWords(list []string) *linkv1.Words {
	if list == nil {
		return nil
	}
	return &linkv1.Words{Words: texts(list)}
}

func toWords(w *linkv1.Words) []string {
	if w == nil {
		return nil
	}
	return append([]string{}, w.GetWords()...)
}

func fromPointer[From, To int | int64](p *From) *To {
	if p == nil {
		return nil
	}
	v := To(*p)
	return &v
}

// each applies convert to list, keeping nil as nil.
func each[From, To any](list []From, convert func(From) To) []To {
	if list == nil {
		return nil
	}
	out := make([]To, len(list))
	for i, v := range list {
		out[i] = convert(v)
	}
	return out
}

// tryEach is each for a conversion that can fail; the first failure ends it.
func tryEach[From, To any](list []From, convert func(From) (To, error)) ([]To, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]To, len(list))
	for i, v := range list {
		converted, err := convert(v)
		if err != nil {
			return nil, err
		}
		out[i] = converted
	}
	return out, nil
}

func fromAddr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func toAddr(s string) (netip.Addr, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, domain.WrapFault(err, domain.Invalid, "bad-address", "%q is not an address", s)
	}
	return a, nil
}

func fromPrefix(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}

func toPrefix(s string) (netip.Prefix, error) {
	if s == "" {
		return netip.Prefix{}, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, domain.WrapFault(err, domain.Invalid, "bad-prefix", "%q is not an address prefix", s)
	}
	return p, nil
}
