package domain

import "slices"

// NeedsPreparing says whether control must make something ready before a host may
// see an action of verb.
func NeedsPreparing(verb Verb) bool {
	switch verb {
	case VerbCreate, VerbRebuild, VerbNetworkAttach, VerbNetworkDetach, VerbAddGroup, VerbRemoveGroup:
		return true
	default:
		return false
	}
}

// Begin makes a, the head of c's queue, what c is about, and returns the state
// that a takes by that.
func (c *Container) Begin(a Action) ActionState {
	c.Status = Next(c.Status, a.Verb, Accepted, a.Args.Run, "")
	if NeedsPreparing(a.Verb) {
		return ActionQueued
	}
	c.Wish(a)
	return ActionPrepared
}

// Wish turns the settled state of c into what a asks for, and shows that it is
// being done.
func (c *Container) Wish(a Action) {
	c.TaskState = TaskOf(a.Verb)
	switch a.Verb {
	case VerbCreate, VerbRebuild:
		c.Want = Want{Running: a.Args.Run}
	case VerbStart, VerbReboot:
		c.Want = Want{Running: true}
	case VerbStop:
		c.Want = Want{}
	case VerbPause:
		c.Want.Paused = true
	case VerbUnpause:
		c.Want.Paused = false
	case VerbDelete:
		c.Want = Want{Absent: true}
	}
}

// Finish gives c what a promised. A kill promises nothing: only what the host saw
// afterwards says whether the process ended.
func (c *Container) Finish(a Action, seen Status) {
	if a.Verb == VerbKill && seen == "" {
		seen = c.Status
	}
	c.Status = Next(c.Status, a.Verb, Done, a.Args.Run, seen)
	c.FormerStatus, c.StatusReason, c.TaskState = "", "", Idle
	switch a.Verb {
	case VerbKill:
		if c.Status == Stopped {
			c.Want.Running = false
		}
	case VerbUpdate, VerbRebuild:
		c.Spec = c.Spec.Updated(a.Args)
	}
}

// Fail takes back what a wished where the effect is known not to have happened.
func (c *Container) Fail(a Action, reason string, seen Status) {
	if a.Verb == VerbRebuild && a.State == ActionQueued {
		seen = c.unharmed(a)
	}
	c.Status = Next(c.Status, a.Verb, Failed, a.Args.Run, seen)
	c.StatusReason, c.TaskState = reason, Idle
	switch a.Verb {
	case VerbRebuild:
		c.fallBack(a, seen)
	case VerbCreate: // the host left nothing of it behind
		c.Want, c.EverCreated, c.EngineID = Want{}, false, ""
	case VerbStart, VerbReboot:
		c.Want = wantOf(c.Status)
	case VerbStop:
		c.Want.Running = c.Status != Stopped && c.Status != Created
		c.Want.Paused = c.Status == Paused
	case VerbPause:
		c.Want.Paused = c.Status == Paused
	case VerbUnpause:
		c.Want.Paused = c.Status != Running
	case VerbNetworkDetach:
		c.Rejoin(a)
	}
}

// unharmed is the status of c whose rebuild a failed before a host saw it; empty if
// there is no engine object.
func (c *Container) unharmed(a Action) Status {
	switch {
	case c.EngineID == "":
		return ""
	case a.Args.Run:
		return Running
	default:
		return Stopped
	}
}

// fallBack makes c what the failed rebuild a left: the former generation, which the
// host saw in status seen, or nothing.
func (c *Container) fallBack(a Action, seen Status) {
	if seen == "" {
		c.Want, c.EverCreated, c.EngineID = Want{}, false, ""
		return
	}
	if a.State != ActionQueued {
		c.Generation, c.EverCreated = a.Args.Former, true
	}
	c.Want = wantOf(seen)
}

// wantOf is the settled state of a container that is left as it was seen.
func wantOf(seen Status) Want {
	return Want{Running: alive(seen), Paused: seen == Paused}
}

// Renew lets c begin the generation that the rebuild a is to make, and notes it in a.
// It is one that no action of history had: what a rebuild that was given up may have
// left on its host must never be taken for another's.
func (c *Container) Renew(a *Action, history []Action) {
	a.Args.Former = c.Generation
	for _, past := range history {
		c.Generation = max(c.Generation, past.Args.Generation)
	}
	c.Generation++
	a.Args.Generation = c.Generation
	c.EverCreated, c.EngineID, c.ExitCode = false, "", nil
}

// Regroup lets c join or leave the security group that a names.
func (c *Container) Regroup(a Action) {
	c.Spec.SecurityGroups = slices.DeleteFunc(slices.Clone(c.Spec.SecurityGroups), func(g string) bool { return g == a.Args.Group })
	if a.Verb == VerbAddGroup {
		c.Spec.SecurityGroups = append(c.Spec.SecurityGroups, a.Args.Group)
	}
}

// Part takes the interface that a detaches out of c.
func (c *Container) Part(a Action) {
	c.Nics = slices.DeleteFunc(slices.Clone(c.Nics), func(n Nic) bool { return n.PortID == a.Args.Gone.PortID })
	c.Resolved = slices.DeleteFunc(slices.Clone(c.Resolved), func(n NetChoice) bool { return n.NetworkID == a.Args.Choice.NetworkID })
}

// Joined says whether c has the interface that a attaches.
func (c *Container) Joined(a Action) bool {
	return a.Verb == VerbNetworkAttach && a.Args.Choice != nil &&
		slices.ContainsFunc(c.Nics, func(n Nic) bool { return n.NetworkID == a.Args.Choice.NetworkID })
}

// Attempted says whether a, which has not ended, is an attach whose port may have been
// made: c shows it, or somebody took a up and did not come to show it.
func (c *Container) Attempted(a Action) bool {
	return !a.Undoing() && (c.Joined(a) || a.Verb == VerbNetworkAttach && a.State == ActionQueued && a.Epoch > 0)
}

// Undoing says whether a is an attach that was given up: its host is to unplug what it may
// have plugged, before the port is given back to others.
func (a Action) Undoing() bool { return a.Verb == VerbNetworkAttach && a.Args.Gone != nil }

// Leave takes the interface that a attached out of c again and notes in a which it is:
// where c does not show it, by its network alone.
func (c *Container) Leave(a *Action) {
	a.Args.Gone = &Nic{NetworkID: a.Args.Choice.NetworkID, PortID: a.Args.Choice.PortID, Preserve: a.Args.Choice.Preserve}
	for _, nic := range c.Nics {
		if nic.NetworkID == a.Args.Choice.NetworkID {
			a.Args.Gone = &nic
		}
	}
	c.Part(*a)
}

// Rejoin takes the interface that a was to take from its host into c again, if a names one.
func (c *Container) Rejoin(a Action) {
	if a.Args.Gone == nil || a.Args.Gone.PortID == "" { // by its network alone: no host saw it
		return
	}
	if slices.ContainsFunc(c.Nics, func(n Nic) bool { return n.PortID == a.Args.Gone.PortID }) {
		return // it had not been taken out yet
	}
	c.Nics = append(slices.Clone(c.Nics), *a.Args.Gone)
	c.Resolved = append(slices.Clone(c.Resolved), *a.Args.Choice)
}

// Lose turns c into a container that its engine lost. What it wants stays, so that
// it can be healed into it.
func (c *Container) Lose(reason string) {
	c.EngineID, c.FormerStatus, c.StatusDetail, c.TaskState = "", "", "", Idle
	if c.Spec.AutoRemove {
		c.Status, c.StatusReason = Deleted, ""
		return
	}
	c.Status, c.StatusReason = Error, reason
}

// Lost says whether c was once made and then lost by its engine.
func (c *Container) Lost() bool {
	return c.Status == Error && c.EverCreated && c.EngineID == ""
}

// Ended says whether c is a container that removes itself and has ended.
func (c *Container) Ended() bool {
	once := c.Spec.Restart.Name == "" || c.Spec.Restart.Name == "no"
	return c.Spec.AutoRemove && c.TaskState == Idle && (c.Status == Deleted || c.Status == Stopped && once)
}

// Learn writes down what the engine shows of c, its status apart. An observation
// without a status shows no engine object and tells nothing here.
func (c *Container) Learn(seen *Observation) {
	if seen == nil || seen.Status == "" {
		return
	}
	if seen.EngineID != "" {
		c.EngineID, c.EverCreated = seen.EngineID, true
	}
	if seen.Hostname != "" {
		c.Hostname = seen.Hostname
	}
	if seen.Ports != nil {
		c.Ports = seen.Ports
	}
	if !seen.StartedAt.IsZero() {
		c.StartedAt = seen.StartedAt
	}
	c.StatusDetail, c.ExitCode, c.Health, c.Restarts = seen.Detail, seen.ExitCode, seen.Health, seen.Restarts
}

// Settle gives c the status that its engine took by itself. A status that an
// unfinished action made stands until that action ends, and an error stands, with
// its reason, until the process is seen alive: the action whose failure was the error
// had its effect all the same, and c wants to stay so. idle says that no action is
// unfinished.
func (c *Container) Settle(seen *Observation, idle bool) {
	if !c.believes(seen.Status, idle) {
		return
	}
	if c.Status == Error {
		c.Want = wantOf(seen.Status)
	}
	if c.Status != seen.Status {
		c.StatusReason = seen.Reason
	}
	c.Status, c.FormerStatus = seen.Status, ""
}

func (c *Container) believes(seen Status, idle bool) bool {
	switch c.Status {
	case Creating, Deleting:
		return false
	case Rebuilding, Restarting:
		return idle && seen != ""
	case Error:
		return idle && alive(seen)
	default:
		return seen != ""
	}
}
