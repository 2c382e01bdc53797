package capsule

import "github.com/go-zun/zun/internal/domain"

// NoEngine is the reason shown on a capsule that nothing can run.
const NoEngine = "No host of this service can run capsules: no engine here starts several containers in one sandbox."

// launch is where a capsule meets a host, and the one place that changes when an
// engine can run capsules: then a host is picked for the group's spec, claimed, and
// a create queued on the group, which the agent carries out as a sandbox with
// several members. As long as there is none, the capsule ends as a container does
// that no host can take: stored, in status Error, with the reason.
func launch(draft domain.Capsule) domain.Capsule {
	refuse := func(row *domain.Container) {
		row.Status, row.StatusReason = domain.Error, NoEngine
	}
	refuse(&draft.Group)
	draft.Each(refuse)
	return draft
}
