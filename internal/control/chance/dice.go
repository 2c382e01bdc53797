// Package chance draws all that is random in control from one source, so that a
// test can give it another: ids, secrets, generated names and tie-breaks.
package chance

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// Dice draws from one source of randomness; it is safe for concurrent use.
type Dice struct {
	mu     *sync.Mutex
	source io.Reader
}

// New returns dice that draw from source, crypto/rand.Reader in production.
func New(source io.Reader) Dice { return Dice{mu: &sync.Mutex{}, source: source} }

// Bytes returns n random bytes.
func (d Dice) Bytes(n int) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(d.source, b); err != nil {
		return nil, fmt.Errorf("draw random bytes: %w", err)
	}
	return b, nil
}

// Below returns a number in [0, n). A source that fails gives 0: it is asked only
// where any answer is right (names, ties).
func (d Dice) Below(n int) int {
	b, err := d.Bytes(8)
	if err != nil || n <= 1 {
		return 0
	}
	return int(binary.BigEndian.Uint64(b) % uint64(n))
}

// UUID returns a random uuid (version 4) in its usual form.
func (d Dice) UUID() (string, error) {
	b, err := d.Bytes(16)
	if err != nil {
		return "", err
	}
	return UUIDOf(b, 4), nil
}

// UUIDOf writes the first 16 bytes of b as a uuid of version.
func UUIDOf(b []byte, version byte) string {
	var id [16]byte
	copy(id[:], b)
	id[6] = id[6]&0x0f | version<<4
	id[8] = id[8]&0x3f | 0x80
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Name makes a name for a container that was given none.
func (d Dice) Name() string { return d.Greek() + "-container" }

// Greek makes the part of a name that tells it from others: a greek letter and a
// number from 1 to 24.
func (d Dice) Greek() string {
	letters := [...]string{
		"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
		"nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
	}
	return letters[d.Below(len(letters))] + "-" + strconv.Itoa(1+d.Below(24))
}
