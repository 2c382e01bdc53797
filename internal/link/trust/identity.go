package trust

import (
	"crypto/x509"
	"net/url"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// Role is what the holder of a certificate may do on the link.
type Role string

// The roles. A proxy joins terminals for users; it never speaks for a host.
const (
	RoleControl Role = "control"
	RoleNode    Role = "node"
	RoleProxy   Role = "proxy"
)

const (
	scheme = "zun"
	suffix = ".zun.internal"
)

// Identity is who a certificate speaks for. It stands in the certificate as the URI
// zun://<deployment>/<role>/<id>; ID is the host's uuid for a node.
type Identity struct {
	Deployment string
	Role       Role
	ID         string
}

// URI returns the identity as it stands in a certificate.
func (i Identity) URI() *url.URL {
	return &url.URL{Scheme: scheme, Host: i.Deployment, Path: "/" + string(i.Role) + "/" + i.ID}
}

// ServerName is the DNS name under which the holder is dialled, so that TLS itself
// refuses any other peer: control's replicas share one, a host has its own.
func (i Identity) ServerName() string {
	if i.Role == RoleControl {
		return ControlName()
	}
	return i.ID + "." + string(i.Role) + suffix
}

// ControlName is the server name of every control replica.
func ControlName() string { return string(RoleControl) + suffix }

// NodeName is the server name of the agent of the host with that uuid.
func NodeName(hostID string) string {
	return Identity{Role: RoleNode, ID: hostID}.ServerName()
}

// IdentityOf reads the identity of a certificate whose chain was verified. One
// without exactly one well-formed identity is Unauthenticated.
func IdentityOf(cert *x509.Certificate) (Identity, error) {
	if len(cert.URIs) != 1 || cert.URIs[0].Scheme != scheme {
		return Identity{}, domain.NewFault(domain.Unauthenticated, "no-identity", "the certificate names nobody on this link")
	}
	uri := cert.URIs[0]
	role, id, ok := strings.Cut(strings.TrimPrefix(uri.Path, "/"), "/")
	if !ok || uri.Host == "" || role == "" || id == "" || strings.Contains(id, "/") {
		return Identity{}, domain.NewFault(domain.Unauthenticated, "no-identity", "the certificate's name %s is malformed", uri)
	}
	return Identity{Deployment: uri.Host, Role: Role(role), ID: id}, nil
}
