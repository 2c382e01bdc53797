package trust

import (
	"crypto/x509"
	"net/url"
	"strconv"
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

	epochKey = "epoch"
)

// Identity is who a certificate speaks for. It stands in the certificate as the URI
// zun://<deployment>/<role>/<id>?epoch=<epoch>; ID is the host's uuid for a node.
type Identity struct {
	Deployment string
	Role       Role
	ID         string
	// Epoch is that of the admission under which the certificate was issued; zero for
	// control, which holds the authority itself.
	Epoch int64
}

// firstEpoch is that of certificates issued before they told one.
const firstEpoch = 1

// URI returns the identity as it stands in a certificate. The epoch is a query, because
// peers of the version before read the path alone.
func (i Identity) URI() *url.URL {
	uri := &url.URL{Scheme: scheme, Host: i.Deployment, Path: "/" + string(i.Role) + "/" + i.ID}
	if i.Epoch > 0 {
		uri.RawQuery = epochKey + "=" + strconv.FormatInt(i.Epoch, 10)
	}
	return uri
}

// String names the holder as errors do.
func (i Identity) String() string {
	return map[Role]string{RoleNode: "host ", RoleProxy: "console door ", RoleControl: "control "}[i.Role] + i.ID
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
	who := Identity{Deployment: uri.Host, Role: Role(role), ID: id}
	if who.Role == RoleControl {
		return who, nil
	}
	epoch, err := epochOf(uri)
	who.Epoch = epoch
	return who, err
}

func epochOf(uri *url.URL) (int64, error) {
	text := uri.Query().Get(epochKey)
	if text == "" {
		return firstEpoch, nil
	}
	epoch, err := strconv.ParseInt(text, 10, 64)
	if err != nil || epoch < firstEpoch {
		return 0, domain.NewFault(domain.Unauthenticated, "no-identity", "the certificate's name %s is malformed", uri)
	}
	return epoch, nil
}
