package app

import "testing"

func TestMemoryIsGivenBackOnceAfterABurst(t *testing.T) {
	const mib = 1 << 20
	s := sleeper{}
	for i, look := range []struct {
		made, spare uint64 // MiB
		want        bool
	}{
		{made: 100, spare: 50},             // at work
		{made: 101, spare: 50, want: true}, // the burst is over
		{made: 102, spare: 9},              // asleep: what little happens is not worth it
		{made: 103, spare: 50},
		{made: 150, spare: 50}, // awake again
		{made: 151, spare: 3},  // nothing to give back yet
		{made: 152, spare: 20, want: true},
	} {
		if got := s.settles(memory{made: look.made * mib, spare: look.spare * mib}); got != look.want {
			t.Errorf("look %d: %v", i, got)
		}
	}
	if now := lookAtMemory(); now.made == 0 || now.spare == 0 {
		t.Errorf("the runtime's figures are not read: %+v", now)
	}
}
