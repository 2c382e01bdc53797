package domain

// Actor is who asks: an authenticated user within one project. Token is the
// bearer secret the actor came with; it is used only within the request, for
// calls that must be made in the user's own name, and is never stored.
type Actor struct {
	UserID, UserName, UserDomainID          string
	ProjectID, ProjectName, ProjectDomainID string
	Roles                                   []string
	Token                                   string
	// IsAdmin holds the verdict of the policy rule context_is_admin.
	IsAdmin bool
	// RequestID is the id of the request this actor is making ("req-<uuid>").
	RequestID string
}

// SystemActor is who acts when no user asked: a loop of this service.
func SystemActor(requestID string) Actor {
	return Actor{UserName: "zun", IsAdmin: true, RequestID: requestID}
}
