package domain

// Capsule is a group of containers that share one sandbox. Group is its own row:
// name, labels, restart policy, status and addresses of the whole; its Spec's CPU
// and memory are what the members ask for together.
type Capsule struct {
	Group   Container
	Members []Container
	Inits   []Container // run to their end, one by one, before the members start
}
