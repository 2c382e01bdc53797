package static

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

const (
	tokenMark  = "zun1" // the form of the token, so that another one can be told apart
	maxToken   = 2048   // bytes; longer ones are none of ours
	keyBytes   = 32
	auditBytes = 12
)

// claims is what a token says, in a form as short as is readable.
type claims struct {
	User    string   `json:"u"`
	Project string   `json:"p,omitempty"`
	Stamp   string   `json:"s"` // of the password that was valid
	Issued  int64    `json:"i"` // unix seconds
	Expires int64    `json:"e"` // unix seconds
	Audit   string   `json:"a"` // unique; what a revocation names
	Methods []string `json:"m"`
}

// signer makes and opens tokens with one key. It is safe for concurrent use.
type signer struct {
	key []byte
	// opened holds what tokens say whose signature was found good, since that never
	// changes: most requests come with a token that was seen before.
	mu     sync.RWMutex
	opened map[string]claims
}

// maxOpened bounds the tokens remembered; beyond it all are forgotten.
const maxOpened = 1024

func newSigner(key []byte) *signer { return &signer{key: key, opened: map[string]claims{}} }

// seal returns the token that says c: "zun1.claims.signature", both in base64.
func (s *signer) seal(c claims) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signed := tokenMark + "." + base64.RawURLEncoding.EncodeToString(body)
	return signed + "." + base64.RawURLEncoding.EncodeToString(s.mac(signed)), nil
}

// open returns what token says if this key signed it.
func (s *signer) open(token string) (claims, error) {
	s.mu.RLock()
	c, known := s.opened[token]
	s.mu.RUnlock()
	if known {
		return c, nil
	}
	c, err := s.decode(token)
	if err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.opened) >= maxOpened {
		clear(s.opened)
	}
	s.opened[token] = c
	return c, nil
}

// decode checks the signature before anything is decoded.
func (s *signer) decode(token string) (claims, error) {
	at := strings.LastIndexByte(token, '.')
	if at < 0 || len(token) > maxToken || !strings.HasPrefix(token, tokenMark+".") {
		return claims{}, errors.New("no token of this service")
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(token[at+1:])
	if err != nil || !hmac.Equal(mac, s.mac(token[:at])) {
		return claims{}, errors.New("token was not signed with the key of this service")
	}
	body, err := base64.RawURLEncoding.DecodeString(token[len(tokenMark)+1 : at])
	if err != nil {
		return claims{}, fmt.Errorf("decode token: %w", err)
	}
	var c claims
	if err := json.Unmarshal(body, &c); err != nil {
		return claims{}, fmt.Errorf("decode claims: %w", err)
	}
	return c, nil
}

func (s *signer) mac(text string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// newAudit returns a random name for one token.
func newAudit() string {
	return base64.RawURLEncoding.EncodeToString(randomBytes(auditBytes))
}

// openKey reads the signing key; a missing one is made, once among all replicas.
func openKey(path string) ([]byte, error) {
	var key []byte
	err := locked(path, func() error {
		if !exists(path) {
			fresh := base64.StdEncoding.EncodeToString(randomBytes(keyBytes))
			if err := replace(path, []byte(fresh+"\n")); err != nil {
				return err
			}
		}
		if err := private(path); err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read token key: %w", err)
		}
		key, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		if err != nil || len(key) < keyBytes {
			return fmt.Errorf("token key %s: expected at least %d bytes in base64", path, keyBytes)
		}
		return nil
	})
	return key, err
}
