package plan

import (
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// rewire makes the interfaces of a living sandbox those of the assignment; without
// one, the next start plugs what the assignment names.
func (p planner) rewire(op *domain.Op) Plan {
	plan := Plan{Then: domain.PhaseDone, Unmake: op.Verb == domain.VerbNetworkAttach}
	if gone := p.unwanted(op.Args.Gone); len(gone) > 0 {
		plan.Steps = append(plan.Steps, Step{Kind: StepUnplug, Nics: gone})
	}
	if p.lives && !p.plugged() {
		plan.Steps = append(plan.Steps, Step{Kind: StepNet, Nics: p.want.Nics})
	}
	return plan
}

// unjoined unplugs the interface of an attach that was given up, whether it was plugged or
// not, and whether there still is something that it belongs to.
func (p planner) unjoined(op *domain.Op) Plan {
	return Plan{Steps: []Step{{Kind: StepUnplug, Nics: p.unwanted(op.Args.Gone)}}, Then: domain.PhaseDone}
}

// unwanted are the interfaces that go: the one the action names, and what is
// plugged although the assignment does not name it.
func (p planner) unwanted(named *domain.Nic) []domain.Nic {
	var gone []domain.Nic
	if named != nil {
		gone = append(gone, *named)
	}
	for _, port := range p.have.Plugged {
		if !HoldsPort(p.want.Nics, port) && !HoldsPort(gone, port) {
			gone = append(gone, domain.Nic{PortID: port})
		}
	}
	return gone
}

// HoldsPort says whether port is that of one of nics.
func HoldsPort(nics []domain.Nic, port string) bool {
	return slices.ContainsFunc(nics, func(n domain.Nic) bool { return n.PortID == port })
}

// rewired fits what is plugged to the assignment: rules of security groups change
// without an action, and the interface of an attach that was given up goes.
func (p planner) rewired(plan Plan) Plan {
	if gone := p.unwanted(nil); len(gone) > 0 {
		plan.Steps = append(plan.Steps, Step{Kind: StepUnplug, Nics: gone})
	}
	if p.have.Rewired {
		plan.Steps = append(plan.Steps, Step{Kind: StepNet, Nics: p.want.Nics})
	}
	return plan
}

// unattach removes the interface that the action was to bring.
func (p planner) unattach(op *domain.Op) []Step {
	if op.Args.Choice == nil {
		return nil
	}
	others := func(n domain.Nic) bool { return n.NetworkID != op.Args.Choice.NetworkID }
	return []Step{{Kind: StepUnplug, Nics: slices.DeleteFunc(slices.Clone(p.want.Nics), others)}}
}
