package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// PermitLife is how long a permit may wait for its use.
const PermitLife = 30 * time.Second

// permitDomain keeps a signature on a permit from being one on anything else that
// the authority's key signs.
const permitDomain = "zun console permit 1\x00"

// Permit lets one console door join one terminal on one host, once, before Expires.
type Permit struct {
	Deployment string    `json:"deployment"`
	Door       string    `json:"door"`  // the id in the door's certificate
	Epoch      int64     `json:"epoch"` // and its epoch
	Host       string    `json:"host"`
	Container  string    `json:"container"`
	ExecID     string    `json:"exec_id"`
	Expires    time.Time `json:"expires"`
	Nonce      []byte    `json:"nonce"`
}

type signedPermit struct {
	Permit    []byte `json:"permit"`
	Signature []byte `json:"signature"`
}

// Permit signs p, for which it sets Deployment, Expires and Nonce.
func (a *Authority) Permit(p Permit, now time.Time) ([]byte, error) {
	p.Deployment, p.Expires, p.Nonce = a.deployment, now.Add(PermitLife).UTC(), make([]byte, 16)
	if _, err := rand.Read(p.Nonce); err != nil {
		return nil, fmt.Errorf("make permit: %w", err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode permit: %w", err)
	}
	digest := permitDigest(text)
	signature, err := a.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign permit: %w", err)
	}
	return json.Marshal(signedPermit{Permit: text, Signature: signature})
}

func permitDigest(text []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(permitDomain), text...))
}

// ReadPermit returns a permit that the authority of c signed and whose time is not
// over; Forbidden otherwise. Whether it fits the call is for the caller to see.
func (c *Credential) ReadPermit(raw []byte, now time.Time) (Permit, error) {
	var signed signedPermit
	var p Permit
	key, ok := c.root.PublicKey.(*ecdsa.PublicKey)
	if !ok || json.Unmarshal(raw, &signed) != nil {
		return Permit{}, badPermit("is malformed")
	}
	digest := permitDigest(signed.Permit)
	switch {
	case !ecdsa.VerifyASN1(key, digest[:], signed.Signature):
		return Permit{}, badPermit("is not signed by this deployment")
	case json.Unmarshal(signed.Permit, &p) != nil:
		return Permit{}, badPermit("is malformed")
	case p.Deployment != c.Identity.Deployment || !now.Before(p.Expires):
		return Permit{}, badPermit("is of another deployment or expired")
	}
	return p, nil
}

func badPermit(why string) error {
	return domain.NewFault(domain.Forbidden, "permit-refused", "the permit of the console door %s", why)
}
