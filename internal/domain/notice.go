package domain

import "time"

// Notice is one thing that happened to a container, in the order of ID.
type Notice struct {
	ID        int64
	At        time.Time
	ProjectID string
	Container ContainerID
	Kind      ContainerKind
	Name      string // "create.accepted", "create.done", "stop.failed", "status", "deleted"
	Status    Status // after it
	Reason    string
	RequestID string // empty where nobody asked
}
