package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"slices"
	"sync"

	"github.com/go-zun/zun/internal/domain"
)

// form is the first byte of what is sealed: it says how the rest is laid out, which is
// one byte with the length of the key's id, the id, the nonce and the ciphertext.
const form = 1

// Sealer seals and opens with the keys of one file. It is safe for concurrent use.
type Sealer struct {
	path string

	mu   sync.RWMutex
	keys []key // the first one seals
}

// key is one line of the file, ready for use.
type key struct {
	id   string
	aead cipher.AEAD
}

// Open reads the key file. A missing one is made, with one random key and mode 0600, if
// create is set; otherwise it is an error, since a new key cannot open what is there.
func Open(path string, create bool) (*Sealer, error) {
	if create {
		if err := ensure(path); err != nil {
			return nil, err
		}
	}
	keys, err := readKeys(path)
	if err != nil {
		return nil, err
	}
	return &Sealer{path: path, keys: keys}, nil
}

// Seal returns plain encrypted and authenticated under the first key.
func (s *Sealer) Seal(plain []byte) ([]byte, error) {
	s.mu.RLock()
	k := s.keys[0]
	s.mu.RUnlock()
	header := append([]byte{form, byte(len(k.id))}, k.id...)
	return k.aead.Seal(slices.Clone(header), nil, plain, header), nil // the nonce is random and part of the result
}

// Open returns what was sealed. It is an Internal fault when the key is not in the file,
// not even after reading that again, or does not fit, or when the data is damaged.
func (s *Sealer) Open(sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != form || len(sealed) < 2+int(sealed[1]) {
		return nil, unreadable(nil, "it was not sealed by this service")
	}
	end := 2 + int(sealed[1])
	id := string(sealed[2:end])
	k, found := s.find(id)
	if !found {
		if err := s.refresh(); err != nil {
			return nil, unreadable(err, "the key file cannot be read")
		}
		if k, found = s.find(id); !found {
			return nil, unreadable(nil, fmt.Sprintf("it was sealed with key %q, which is not in %s", id, s.path))
		}
	}
	plain, err := k.aead.Open(nil, nil, sealed[end:], sealed[:end])
	if err != nil {
		return nil, unreadable(err, fmt.Sprintf("key %q does not fit, or the data is damaged", id))
	}
	return plain, nil
}

func unreadable(cause error, why string) *domain.Fault {
	if cause == nil {
		return domain.NewFault(domain.Internal, "secret-unreadable", "a stored secret cannot be opened: %s", why)
	}
	return domain.WrapFault(cause, domain.Internal, "secret-unreadable", "a stored secret cannot be opened: %s", why)
}

func (s *Sealer) find(id string) (key, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at := slices.IndexFunc(s.keys, func(k key) bool { return k.id == id })
	if at < 0 {
		return key{}, false
	}
	return s.keys[at], true
}

// refresh reads the file again, because another replica may already seal with a key
// that was added after this one started.
func (s *Sealer) refresh() error {
	keys, err := readKeys(s.path)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
	return nil
}

func newKey(id string, secret []byte) (key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return key{}, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return key{}, fmt.Errorf("make cipher: %w", err)
	}
	return key{id: id, aead: aead}, nil
}
