package control

import "github.com/go-zun/zun/internal/domain"

// Ref names a container for an actor: Ident is a uuid or a name. Admins look
// across projects; AllProjects says that the caller asked for it by word.
type Ref struct {
	Ident       string
	AllProjects bool
}

// CreateRequest is a validated POST. Spec.Mounts, Nets and SecurityGroups still
// hold the user's names; Registry is a name or uuid.
type CreateRequest struct {
	Spec     domain.Spec
	Registry string
	Run      bool
	// Asked tells which sizes the body named, so that defaults fill the others.
	CPUAsked, MemoryAsked, DiskAsked bool
	// IdempotencyKey makes a repeated create return the first one's container; empty: none.
	IdempotencyKey string
}

// ListRequest is a validated list call.
type ListRequest struct {
	AllProjects bool
	Filters     ContainerFilters
	Page        Page
}

// Change is what a PATCH or resize_container names; nil is left alone.
type Change struct {
	Name     *string
	CPU      *float64
	MemoryMB *int64
	AutoHeal *bool
}

// DeleteRequest says how to delete.
type DeleteRequest struct {
	Stop        bool
	Force       bool
	AllProjects bool
}

// Session is an opened door to a terminal: the client connects to URL with the
// ticket in it.
type Session struct {
	ExecID    string
	Container domain.ContainerID
	Ticket    string // one use
	URL       string
}

// TicketClaim is what a client shows at a console door.
type TicketClaim struct {
	Container domain.ContainerID
	ExecID    string // empty: the container's own terminal
	Secret    string
}

// Visit is what a redeemed ticket stands for: whose it was, and where it leads.
type Visit struct {
	Console           string // the id under which it is counted while it is open
	Container         domain.ContainerID
	ExecID            string
	UserID, ProjectID string
	Host              domain.Host
	// Permit lets a door outside control join this one terminal at the host, within
	// seconds; control itself needs none.
	Permit []byte
	// HostEpoch is that of the certificate which the host shows to such a door.
	HostEpoch int64
}

// ServiceChange is what an operator switches on a service; nil is left alone.
type ServiceChange struct {
	Disabled       *bool
	DisabledReason *string
	ForcedDown     *bool
}

// RegistryChange is what a PATCH of a registry names; nil is left alone.
type RegistryChange struct {
	Name, Domain, Username, Password *string
}
