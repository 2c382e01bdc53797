package control

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
)

// dice draws from one source of randomness; it is safe for concurrent use.
type dice struct {
	mu     *sync.Mutex
	source io.Reader
}

func newDice(source io.Reader) dice { return dice{mu: &sync.Mutex{}, source: source} }

// bytes returns n random bytes.
func (d dice) bytes(n int) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(d.source, b); err != nil {
		return nil, fmt.Errorf("draw random bytes: %w", err)
	}
	return b, nil
}

// below returns a number in [0, n). A source that fails gives 0: it is asked only
// where any answer is right (names, ties).
func (d dice) below(n int) int {
	b, err := d.bytes(8)
	if err != nil || n <= 1 {
		return 0
	}
	return int(binary.BigEndian.Uint64(b) % uint64(n))
}

// uuid returns a random uuid (version 4) in its usual form.
func (d dice) uuid() (string, error) {
	b, err := d.bytes(16)
	if err != nil {
		return "", err
	}
	return uuidOf(b, 4), nil
}

// uuidOf writes the first 16 bytes of b as a uuid of version.
func uuidOf(b []byte, version byte) string {
	var id [16]byte
	copy(id[:], b)
	id[6] = id[6]&0x0f | version<<4
	id[8] = id[8]&0x3f | 0x80
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
