package trust

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Source gives the credential in force at this moment; it is asked at every
// handshake, so that a renewed certificate needs no restart.
type Source func() (*Credential, error)

// Clock tells the time by which certificates are judged.
type Clock func() time.Time

// ControlServer is the TLS of control's side as server. A peer without certificate
// passes the handshake, because it may want to join; every other call asks for one.
func ControlServer(source Source, now Clock) *tls.Config {
	return serverConfig(func() (*tls.Config, error) {
		c, err := source()
		if err != nil {
			return nil, err
		}
		return serving(c, tls.VerifyClientCertIfGiven, now), nil
	})
}

// NodeServer is the TLS of an agent's side as server. Until source has a credential
// it shows a self-signed certificate of interim's key and asks nobody for anything:
// good for nothing but control's look whether the joining host is reachable.
func NodeServer(source Source, interim *ecdsa.PrivateKey, now Clock) *tls.Config {
	return serverConfig(func() (*tls.Config, error) {
		if c, err := source(); err == nil {
			return serving(c, tls.RequireAndVerifyClientCert, now), nil
		}
		own, err := selfSigned(interim, now())
		if err != nil {
			return nil, err
		}
		config := base(now)
		config.Certificates = []tls.Certificate{*own}
		return config, nil
	})
}

func serverConfig(choose func() (*tls.Config, error)) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return choose() },
	}
}

func serving(c *Credential, auth tls.ClientAuthType, now Clock) *tls.Config {
	config := base(now)
	config.Certificates = []tls.Certificate{*c.certificate()}
	config.ClientAuth = auth
	config.ClientCAs = c.roots()
	return config
}

// Peer is who must answer where either side dials.
type Peer struct {
	ServerName string
	Role       Role
	// Judge refuses an identity although its certificate is good; nil: none.
	Judge func(who Identity) error
}

// Client is the TLS of either side as client. The peer must hold a certificate of
// the same authority.
func Client(source Source, peer Peer, now Clock) (*tls.Config, error) {
	c, err := source()
	if err != nil {
		return nil, err
	}
	config := base(now)
	config.ServerName = peer.ServerName
	config.RootCAs = c.roots()
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		fresh, err := source()
		if err != nil {
			return nil, err
		}
		return fresh.certificate(), nil
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		return checkPeer(state, c.Identity.Deployment, peer)
	}
	return config, nil
}

func checkPeer(state tls.ConnectionState, deployment string, want Peer) error {
	who, err := IdentityOf(state.PeerCertificates[0])
	if err != nil {
		return err
	}
	if who.Role != want.Role || who.Deployment != deployment {
		return domain.NewFault(domain.Forbidden, "wrong-peer", "the peer is %s of deployment %s", who.Role, who.Deployment)
	}
	if want.Judge == nil {
		return nil
	}
	return want.Judge(who)
}

// FirstContact is the TLS of a joining host. It knows only the hash of the
// authority, so it looks for that authority in the chain the peer shows and then
// verifies the chain as usual.
func FirstContact(authority [sha256.Size]byte, now Clock) *tls.Config {
	config := base(now)
	config.ServerName = ControlName()
	config.InsecureSkipVerify = true // VerifyConnection below verifies against the pinned authority
	config.VerifyConnection = func(state tls.ConnectionState) error {
		for _, cert := range state.PeerCertificates[1:] {
			if sha256.Sum256(cert.Raw) == authority {
				return verifyControl(state.PeerCertificates[0], cert, now())
			}
		}
		return domain.NewFault(domain.Forbidden, "foreign-control", "the peer is not of the deployment that the join token is for")
	}
	return config
}

func verifyControl(leaf, root *x509.Certificate, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AddCert(root)
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: ControlName(), Roots: roots, CurrentTime: now})
	if err != nil {
		return domain.WrapFault(err, domain.Forbidden, "foreign-control", "the peer's certificate is not good")
	}
	return nil
}

// LookBack is the TLS with which control looks whether a joining host is reachable
// at the address it named: the peer must hold the key of the host's request.
func LookBack(public *ecdsa.PublicKey, now Clock) *tls.Config {
	config := base(now)
	config.InsecureSkipVerify = true // the host has no certificate yet; its key is compared instead
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if !public.Equal(state.PeerCertificates[0].PublicKey) {
			return domain.NewFault(domain.Forbidden, "wrong-peer", "another process answers there")
		}
		return nil
	}
	return config
}

func base(now Clock) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		Time:       now,
		NextProtos: []string{"h2"},
		// A resumed session would skip the look at a renewed or expired certificate.
		SessionTicketsDisabled: true,
	}
}
