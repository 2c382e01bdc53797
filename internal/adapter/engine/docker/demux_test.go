package docker

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestATornFrameIsNoEnd cuts the engine's framing at each place: only between frames is
// it the end of the output.
func TestATornFrameIsNoEnd(t *testing.T) {
	const first, second = "\x01\x00\x00\x00\x00\x00\x00\x03out", "\x02\x00\x00\x00\x00\x00\x00\x03err"
	whole := first + second
	const said = "outerr"
	for cut := range len(whole) + 1 {
		want := io.ErrUnexpectedEOF
		if cut == 0 || cut == len(first) || cut == len(whole) {
			want = nil
		}
		got, err := io.ReadAll(newDemux(strings.NewReader(whole[:cut])))
		if !errors.Is(err, want) || string(got) != said[:min(len(got), len(said))] {
			t.Errorf("cut at %d: %q, %v", cut, got, err)
		}
	}
}
