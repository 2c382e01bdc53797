package trust

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

const (
	tokenPrefix = "zun-join-"
	secretSize  = 32
)

// Token is what an operator carries from control to a new host: a one-use secret,
// and the hash of the authority, by which the host knows control at first contact.
type Token struct {
	Secret    []byte
	Authority [sha256.Size]byte
}

// NewToken makes a token for authority, the hash of one, with a random secret.
func NewToken(authority [sha256.Size]byte) (Token, error) {
	secret := make([]byte, secretSize)
	if _, err := rand.Read(secret); err != nil {
		return Token{}, fmt.Errorf("make join token: %w", err)
	}
	return Token{Secret: secret, Authority: authority}, nil
}

// String is the token as the operator carries it: a secret.
func (t Token) String() string {
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(append([]byte{}, t.Secret...), t.Authority[:]...))
}

// ParseToken reads what String wrote; anything else is an Invalid fault that does
// not repeat the text, since it may be a mistyped secret.
func ParseToken(text string) (Token, error) {
	coded, found := strings.CutPrefix(strings.TrimSpace(text), tokenPrefix)
	raw, err := base64.RawURLEncoding.DecodeString(coded)
	if !found || err != nil || len(raw) != secretSize+sha256.Size {
		return Token{}, domain.NewFault(domain.Invalid, "bad-join-token", "the join token is malformed; it starts with %s and is copied whole", tokenPrefix)
	}
	t := Token{Secret: raw[:secretSize]}
	copy(t.Authority[:], raw[secretSize:])
	return t, nil
}

// HashSecret is how the store knows a secret.
func HashSecret(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}
