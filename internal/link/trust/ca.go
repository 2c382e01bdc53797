package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

const (
	// Lifetime is how long an issued certificate is good. It is renewed at two thirds.
	Lifetime = 7 * 24 * time.Hour
	// authorityLifetime is long, because every host pins the authority.
	authorityLifetime = 20 * 365 * 24 * time.Hour
	// skew is how far a peer's clock may lag behind the issuer's.
	skew = 5 * time.Minute
)

// Authority signs the certificates of one deployment.
type Authority struct {
	deployment string
	cert       *x509.Certificate
	key        crypto.Signer
}

// NewAuthority makes an authority with a fresh ECDSA P-256 key, good from now.
func NewAuthority(deployment string, now time.Time) (*Authority, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"zun"}, CommonName: deployment},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(authorityLifetime),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read own authority: %w", err)
	}
	return &Authority{deployment: deployment, cert: cert, key: key}, nil
}

// LoadAuthority reads what CertPEM and KeyDER once returned.
func LoadAuthority(deployment string, certPEM, keyDER []byte) (*Authority, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return nil, errors.New("read authority: no certificate in it")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return nil, fmt.Errorf("read the authority's key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("read authority: key and certificate do not belong together")
	}
	return &Authority{deployment: deployment, cert: cert, key: key}, nil
}

// Deployment is the id of the deployment that the authority stands for.
func (a *Authority) Deployment() string { return a.deployment }

// CertPEM returns the certificate; it is public.
func (a *Authority) CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// KeyDER returns the private key in PKCS #8; it is to be sealed at once.
func (a *Authority) KeyDER() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("encode the authority's key: %w", err)
	}
	return der, nil
}

// Hash is what a join token pins.
func (a *Authority) Hash() [sha256.Size]byte { return sha256.Sum256(a.cert.Raw) }

// Issue signs a certificate of this deployment that tells the holder of public as who,
// good from now for Lifetime, and returns the chain in DER: the certificate, then the
// authority.
func (a *Authority) Issue(public crypto.PublicKey, who Identity, now time.Time) ([][]byte, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	who.Deployment = a.deployment
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"zun"}, OrganizationalUnit: []string{string(who.Role)}, CommonName: who.ID},
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(Lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		URIs:         []*url.URL{who.URI()},
		DNSNames:     []string{who.ServerName()},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %s: %w", who, err)
	}
	return [][]byte{der, a.cert.Raw}, nil
}

// NewKey makes a private key for a certificate.
func NewKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

// Request makes a certificate request for key in DER. It names nobody: who the
// certificate speaks for is decided by control alone.
func Request(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	return der, nil
}

// ReadRequest returns the public key of a request whose sender proved to hold the
// private one. Anything but an ECDSA P-256 key is an Invalid fault.
func ReadRequest(der []byte) (*ecdsa.PublicKey, error) {
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, domain.WrapFault(err, domain.Invalid, "bad-request", "the certificate request cannot be read")
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, domain.WrapFault(err, domain.Invalid, "bad-request", "the certificate request is not signed by its key")
	}
	public, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, domain.NewFault(domain.Invalid, "bad-request", "the certificate request is not for an ECDSA P-256 key")
	}
	return public, nil
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	return serial, nil
}
