package trust

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Credential is a private key with the certificate chain issued for it. It is not
// changed once made.
type Credential struct {
	Identity Identity
	key      *ecdsa.PrivateKey
	chain    [][]byte
	leaf     *x509.Certificate
	root     *x509.Certificate
}

// NewCredential joins key and the chain that Issue returned for it, and checks
// that they belong together and that the chain's root signed its leaf.
func NewCredential(key *ecdsa.PrivateKey, chain [][]byte) (*Credential, error) {
	if len(chain) != 2 {
		return nil, fmt.Errorf("read credential: a chain of %d certificates instead of 2", len(chain))
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("read credential: %w", err)
	}
	root, err := x509.ParseCertificate(chain[1])
	if err != nil {
		return nil, fmt.Errorf("read the credential's authority: %w", err)
	}
	if err := leaf.CheckSignatureFrom(root); err != nil {
		return nil, fmt.Errorf("check credential: %w", err)
	}
	if !key.PublicKey.Equal(leaf.PublicKey) {
		return nil, errors.New("check credential: the certificate was issued for another key")
	}
	who, err := IdentityOf(leaf)
	if err != nil {
		return nil, err
	}
	return &Credential{Identity: who, key: key, chain: chain, leaf: leaf, root: root}, nil
}

// RenewAt is when two thirds of the certificate's life are over.
func (c *Credential) RenewAt() time.Time {
	life := c.leaf.NotAfter.Sub(c.leaf.NotBefore)
	return c.leaf.NotBefore.Add(life * 2 / 3)
}

// Expires is the end of the certificate.
func (c *Credential) Expires() time.Time { return c.leaf.NotAfter }

// Expired says whether the certificate is past its end.
func (c *Credential) Expired(now time.Time) bool { return now.After(c.leaf.NotAfter) }

func (c *Credential) certificate() *tls.Certificate {
	return &tls.Certificate{Certificate: c.chain, PrivateKey: c.key, Leaf: c.leaf}
}

func (c *Credential) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.root)
	return pool
}

// selfSigned is the certificate that a host shows before it has one: it proves the
// key and nothing else.
func selfSigned(key *ecdsa.PrivateKey, now time.Time) (*tls.Certificate, error) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-skew), NotAfter: now.Add(Lifetime)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign interim certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

const (
	credentialFile = "identity.pem"
	blockKey       = "PRIVATE KEY"
	blockCert      = "CERTIFICATE"
)

// Vault keeps a host's credential in one file of a directory: key, certificate and
// authority together, so that no crash can leave a key beside a foreign certificate.
type Vault struct{ dir string }

// NewVault returns the vault in dir, which is made when it is first written.
func NewVault(dir string) Vault { return Vault{dir: dir} }

// Load returns the credential kept, nil if there is none.
func (v Vault) Load() (*Credential, error) {
	raw, err := os.ReadFile(filepath.Join(v.dir, credentialFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	var key *ecdsa.PrivateKey
	var chain [][]byte
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case blockCert:
			chain = append(chain, block.Bytes)
		case blockKey:
			parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("read the key of the identity: %w", err)
			}
			key, _ = parsed.(*ecdsa.PrivateKey)
		}
	}
	if key == nil {
		return nil, fmt.Errorf("read identity: %s holds no key", filepath.Join(v.dir, credentialFile))
	}
	return NewCredential(key, chain)
}

// Save keeps c, readable by the owner alone. A crash leaves the former one or c.
func (v Vault) Save(c *Credential) error {
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return fmt.Errorf("encode the key of the identity: %w", err)
	}
	raw := pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der})
	for _, cert := range c.chain {
		raw = append(raw, pem.EncodeToMemory(&pem.Block{Type: blockCert, Bytes: cert})...)
	}
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return fmt.Errorf("make state directory: %w", err)
	}
	return replaceFile(v.dir, credentialFile, raw)
}

// replaceFile writes beside the file and renames, and syncs both, because a
// certificate that control issued must survive a power cut.
func replaceFile(dir, name string, raw []byte) (err error) {
	temp, err := os.CreateTemp(dir, name+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(raw)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	if err = os.Rename(temp.Name(), filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("put identity in place: %w", err)
	}
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync state directory: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
