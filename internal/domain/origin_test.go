package domain_test

import (
	"net/netip"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestOriginsAreCountedByWhatOneMachineHolds(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:0:1:2::3": "2001:db8:0:1::", "fe80::1%eth0": "fe80::",
	} {
		if got := domain.Origin(netip.MustParseAddr(address)); got != netip.MustParseAddr(want) {
			t.Errorf("%s is counted as %s, want %s", address, got, want)
		}
	}
	if got := domain.Origin(netip.Addr{}); got.IsValid() {
		t.Errorf("what is no address is %s", got)
	}
}
