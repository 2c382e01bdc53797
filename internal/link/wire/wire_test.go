package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

// filler gives every field it meets a value that no other field has.
type filler struct{ n int64 }

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+f.n, f.n).UTC()))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, byte(f.n >> 8), byte(f.n)})))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.MustParsePrefix(fmt.Sprintf("fd00:%x::/64", f.n))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("word-%d", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(f.n)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.n))
	case reflect.Float64:
		v.SetFloat(float64(f.n) + 0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	default:
		panic("no filling for " + v.Type().String())
	}
}

func filled[T any]() T {
	var value T
	(&filler{}).fill(reflect.ValueOf(&value).Elem())
	return value
}

// roundTrip sends value through from, real bytes and back.
func roundTrip[T any, M proto.Message](t *testing.T, value T, from func(T) M, to func(M) (T, error)) {
	t.Helper()
	sent := from(value)
	raw, err := proto.Marshal(sent)
	if err != nil {
		t.Fatalf("marshal %T: %v", value, err)
	}
	received := sent.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(raw, received); err != nil {
		t.Fatalf("unmarshal %T: %v", value, err)
	}
	got, err := to(received.(M))
	if err != nil {
		t.Fatalf("convert %T back: %v", value, err)
	}
	if !reflect.DeepEqual(got, value) {
		t.Errorf("%T changed on the wire\nsent %+v\ngot  %+v", value, value, got)
	}
}

func sure[M, T any](to func(M) T) func(M) (T, error) {
	return func(m M) (T, error) { return to(m), nil }
}

func TestEveryFieldCrosses(t *testing.T) {
	roundTrip(t, filled[domain.Assignment](), wire.FromAssignment, wire.ToAssignment)
	roundTrip(t, filled[domain.Report](), wire.FromReport, sure(wire.ToReport))
	roundTrip(t, filled[domain.Observation](), wire.FromObservation, sure(wire.ToObservation))
	roundTrip(t, filled[domain.Beat](), wire.FromBeat, sure(wire.ToBeat))
	roundTrip(t, filled[domain.BeatAnswer](), wire.FromBeatAnswer, sure(wire.ToBeatAnswer))
	roundTrip(t, filled[domain.ExecResult](), wire.FromExecResult, sure(wire.ToExecResult))
	roundTrip(t, filled[domain.LogQuery](), wire.FromLogQuery, sure(wire.ToLogQuery))
	roundTrip(t, filled[domain.FollowQuery](), wire.FromFollowQuery, sure(wire.ToFollowQuery))
	roundTrip(t, filled[[]domain.FollowRecord](), wire.FromFollowRecords, sure(wire.ToFollowRecords))
	roundTrip(t, filled[domain.ProcessTable](), wire.FromProcessTable, sure(wire.ToProcessTable))
	roundTrip(t, filled[domain.Stats](), wire.FromStats, sure(wire.ToStats))
	roundTrip(t, filled[domain.PathStat](), wire.FromPathStat, sure(wire.ToPathStat))
}

func TestEmptyCrossesAsEmpty(t *testing.T) {
	roundTrip(t, domain.Assignment{}, wire.FromAssignment, wire.ToAssignment)
	roundTrip(t, domain.Report{}, wire.FromReport, sure(wire.ToReport))
	roundTrip(t, domain.Beat{}, wire.FromBeat, sure(wire.ToBeat))
	roundTrip(t, domain.Assignment{Spec: domain.Spec{Command: []string{}}}, wire.FromAssignment, wire.ToAssignment)
	roundTrip(t, domain.LogQuery{Tail: -1}, wire.FromLogQuery, sure(wire.ToLogQuery))
	roundTrip(t, domain.FollowRecord{Kind: domain.FollowLine, Data: []byte("\xff\x00")}, wire.FromFollowRecord, sure(wire.ToFollowRecord))
	roundTrip(t, domain.ExecResult{ExitCode: -1}, wire.FromExecResult, sure(wire.ToExecResult))
}

func TestTextThatIsNotUTF8StillTravels(t *testing.T) {
	report := domain.Report{Message: "bad \xff byte", Seen: &domain.Observation{Reason: "\xfe", Command: []string{"\xff"}}}
	raw, err := proto.Marshal(wire.FromReport(report))
	if err != nil || len(raw) == 0 {
		t.Fatalf("marshal: %v", err)
	}
	roundTrip(t, domain.ProcessTable{Processes: [][]string{{"1", "caf\xe9"}}}, wire.FromProcessTable, sure(wire.ToProcessTable))
	roundTrip(t, domain.PathStat{Name: "caf\xe9"}, wire.FromPathStat, sure(wire.ToPathStat))
}

func TestBadAddressIsAFault(t *testing.T) {
	nic := func(a *linkv1.NicAddress, r *linkv1.Route) *linkv1.Assignment {
		return &linkv1.Assignment{Nics: []*linkv1.Nic{{PortId: "p", Addresses: []*linkv1.NicAddress{a}, Routes: []*linkv1.Route{r}}}}
	}
	for name, m := range map[string]*linkv1.Assignment{
		"address":     nic(&linkv1.NicAddress{Addr: "10.0.0"}, nil),
		"prefix":      nic(&linkv1.NicAddress{Prefix: "10.0.0.0/40"}, nil),
		"gateway":     nic(&linkv1.NicAddress{Gateway: "x"}, nil),
		"destination": nic(nil, &linkv1.Route{Destination: "x"}),
		"via":         nic(nil, &linkv1.Route{Via: "x"}),
	} {
		if _, err := wire.ToAssignment(m); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("bad %s: got %v, want an Invalid fault", name, err)
		}
	}
}

func TestFaultsCross(t *testing.T) {
	cause := errors.New("secret cause")
	for _, kind := range domain.FaultKinds() {
		sent := domain.WrapFault(cause, kind, "some-code", "message of kind %d", kind)
		crossed := wire.FromError(fmt.Errorf("serve: %w", sent))
		if strings.Contains(fmt.Sprint(status.Convert(crossed).Proto()), "secret") {
			t.Errorf("kind %d: the cause crossed: %v", kind, crossed)
		}
		got := domain.AsFault(wire.ToError(crossed, "host h1"))
		if got.Kind != kind || got.Code != "some-code" || got.Message != sent.Message {
			t.Errorf("kind %d came out as %d %q %q", kind, got.Kind, got.Code, got.Message)
		}
	}
}

func TestUnknownErrorsCross(t *testing.T) {
	got := domain.AsFault(wire.ToError(wire.FromError(errors.New("disk on fire at /secret")), "host h1"))
	if got.Kind != domain.Internal || strings.Contains(got.Error(), "secret") {
		t.Errorf("an unexplained error came out as %d %q", got.Kind, got.Error())
	}
	got = domain.AsFault(wire.ToError(wire.FromError(context.DeadlineExceeded), "host h1"))
	if got.Kind != domain.Timeout {
		t.Errorf("a deadline came out as kind %d", got.Kind)
	}
	long := domain.NewFault(domain.Invalid, "x", "%s", strings.Repeat("ä", 5000))
	if got = domain.AsFault(wire.ToError(wire.FromError(long), "h")); len(got.Message) > 4100 {
		t.Errorf("a message of %d bytes crossed", len(got.Message))
	}
}

func TestLostConnectionsNameTheHost(t *testing.T) {
	for code, kind := range map[codes.Code]domain.FaultKind{
		codes.Unavailable: domain.Unavailable, codes.DeadlineExceeded: domain.Timeout,
		codes.Canceled: domain.Unavailable, codes.Unimplemented: domain.Unsupported,
		codes.ResourceExhausted: domain.TooLarge,
	} {
		got := domain.AsFault(wire.ToError(status.Error(code, "transport"), "host h1"))
		if got.Kind != kind || !strings.Contains(got.Message, "host h1") {
			t.Errorf("%s came out as %d %q", code, got.Kind, got.Message)
		}
	}
	if got := domain.AsFault(wire.ToError(status.Error(codes.DataLoss, "x"), "h")); got.Kind != domain.Internal {
		t.Errorf("data loss came out as kind %d", got.Kind)
	}
	own := domain.NewFault(domain.Conflict, "c", "mine")
	if got, is := wire.ToError(own, "h").(*domain.Fault); !is || got != own { //nolint:errorlint // the very same value is meant
		t.Error("a fault of this side was wrapped again")
	}
}
