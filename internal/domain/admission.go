package domain

import "time"

// PeerRole is as what a peer was admitted to the link.
type PeerRole string

// The roles: a host with its agent, and a console door.
const (
	PeerHost PeerRole = "host"
	PeerDoor PeerRole = "door"
)

// Admission says whose certificates control takes.
type Admission struct {
	Role PeerRole
	Name string // unique in its role
	ID   string // uuid, as certificates name the peer
	// Epoch is that of the certificates which are good. Each join raises it, and so does a
	// revocation, to one that no certificate has.
	Epoch     int64
	Since     time.Time // when it joined last
	RevokedAt time.Time // zero: it is not revoked
}

// Revoked says whether nothing but a new join admits the peer again.
func (a Admission) Revoked() bool { return !a.RevokedAt.IsZero() }
