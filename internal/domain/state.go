package domain

import "slices"

// Status is a container's life state. The words are part of the API: clients
// such as Heat compare them literally.
type Status string

// The statuses of a container.
const (
	Creating   Status = "Creating"
	Created    Status = "Created"
	Running    Status = "Running"
	Stopped    Status = "Stopped"
	Paused     Status = "Paused"
	Restarting Status = "Restarting"
	Rebuilding Status = "Rebuilding"
	Deleting   Status = "Deleting"
	Deleted    Status = "Deleted"
	Dead       Status = "Dead"
	Error      Status = "Error"
	Unknown    Status = "Unknown"
)

// Statuses lists every status in the order of the contract's table.
func Statuses() []Status {
	return []Status{Created, Running, Stopped, Paused, Error, Unknown, Creating, Restarting, Rebuilding, Deleting, Deleted, Dead}
}

// TaskState says what is being done to a container right now; empty when idle.
type TaskState string

// The task states, spelled as clients know them.
const (
	Idle                TaskState = ""
	ImagePulling        TaskState = "image_pulling"
	ContainerCreating   TaskState = "container_creating"
	ContainerStarting   TaskState = "container_starting"
	ContainerStopping   TaskState = "container_stopping"
	ContainerRebooting  TaskState = "container_rebooting"
	ContainerPausing    TaskState = "container_pausing"
	ContainerUnpausing  TaskState = "container_unpausing"
	ContainerKilling    TaskState = "container_killing"
	ContainerDeleting   TaskState = "container_deleting"
	ContainerRebuilding TaskState = "container_rebuilding"
	GroupAdding         TaskState = "sg_adding"
	GroupRemoving       TaskState = "sg_removing"
	NetworkAttaching    TaskState = "network_attaching"
	NetworkDetaching    TaskState = "network_detaching"
)

// Verb is something asked of a container. The words stand in messages and in
// action records, so they are spelled as the contract spells them.
type Verb string

// The verbs. DeleteAfterStop and DeleteForce are the stop=true and force=true
// forms of Delete; they differ only in the statuses that allow them.
const (
	VerbCreate          Verb = "create"
	VerbStart           Verb = "start"
	VerbStop            Verb = "stop"
	VerbReboot          Verb = "reboot"
	VerbRebuild         Verb = "rebuild"
	VerbPause           Verb = "pause"
	VerbUnpause         Verb = "unpause"
	VerbKill            Verb = "kill"
	VerbExecute         Verb = "execute"
	VerbExecuteResize   Verb = "execute_resize"
	VerbAttach          Verb = "attach"
	VerbResize          Verb = "resize"
	VerbTop             Verb = "top"
	VerbStats           Verb = "stats"
	VerbLogs            Verb = "logs"
	VerbUpdate          Verb = "update"
	VerbResizeContainer Verb = "resize_container"
	VerbAddGroup        Verb = "add_security_group"
	VerbRemoveGroup     Verb = "remove_security_group"
	VerbGetArchive      Verb = "get_archive"
	VerbPutArchive      Verb = "put_archive"
	VerbCommit          Verb = "commit"
	VerbDelete          Verb = "delete"
	VerbDeleteAfterStop Verb = "delete_after_stop"
	VerbDeleteForce     Verb = "delete_force"
	VerbRename          Verb = "rename"
	VerbNetworkAttach   Verb = "network_attach"
	VerbNetworkDetach   Verb = "network_detach"
)

// legal is the contract's table of which verb is allowed in which status. A verb
// that is absent has no status rule. delete_force has Paused and
// delete_after_stop five statuses more than the original (docs/divergences.md):
// nothing an owner made may be undeletable.
var legal = map[Verb][]Status{ //nolint:gochecknoglobals // a constant table; Go has no constant maps
	VerbStart:           {Created, Stopped, Error},
	VerbStop:            {Running},
	VerbReboot:          {Created, Running, Stopped, Error},
	VerbRebuild:         {Created, Running, Stopped, Error},
	VerbPause:           {Running},
	VerbUnpause:         {Paused},
	VerbKill:            {Running},
	VerbExecute:         {Running},
	VerbExecuteResize:   {Running},
	VerbAttach:          {Running},
	VerbResize:          {Running},
	VerbTop:             {Running},
	VerbStats:           {Running},
	VerbLogs:            {Created, Running, Stopped, Paused, Error, Unknown},
	VerbUpdate:          {Created, Running, Stopped, Paused},
	VerbResizeContainer: {Created, Running, Stopped, Paused},
	VerbAddGroup:        {Created, Running, Stopped, Paused},
	VerbRemoveGroup:     {Created, Running, Stopped, Paused},
	VerbGetArchive:      {Created, Running, Stopped, Paused},
	VerbPutArchive:      {Created, Running, Stopped, Paused},
	VerbCommit:          {Running, Stopped, Paused},
	VerbDelete:          {Created, Stopped, Error, Deleted, Dead},
	VerbDeleteAfterStop: {Created, Running, Stopped, Error, Deleted, Dead, Creating, Unknown, Rebuilding, Restarting, Paused},
	VerbDeleteForce:     {Created, Running, Stopped, Paused, Error, Unknown, Creating, Restarting, Rebuilding, Deleting, Deleted, Dead},
}

// Allowed says whether verb may be asked of a container in status.
func Allowed(verb Verb, status Status) bool {
	statuses, ruled := legal[verb]
	return !ruled || slices.Contains(statuses, status)
}

// CheckAllowed returns a Conflict fault in the contract's words when verb may not
// be asked of the container id in status.
func CheckAllowed(verb Verb, id ContainerID, status Status) error {
	if Allowed(verb, status) {
		return nil
	}
	return NewFault(Conflict, "invalid-state-exception", "Cannot %s container %s in %s state", verb, id, status)
}

// Moment is a point in the life of an action at which a status may change.
type Moment uint8

// The moments of an action.
const (
	Accepted Moment = iota // the intent was committed
	Done                   // the host reported it carried out
	Failed                 // it reached its end without effect
)

// Next is the only place that decides a status from an action: it returns the
// status a container in from takes at moment of verb. run says that a create or
// rebuild ends with the container started. observed, if not empty, is what the
// host saw when it reported; it wins wherever the verb itself promises no word.
func Next(from Status, verb Verb, moment Moment, run bool, observed Status) Status {
	switch moment {
	case Accepted:
		return acceptedStatus(from, verb)
	case Done:
		return doneStatus(from, verb, run, observed)
	case Failed:
		return failedStatus(from, verb, observed)
	}
	return from
}

func acceptedStatus(from Status, verb Verb) Status {
	switch verb {
	case VerbCreate:
		return Creating
	case VerbReboot:
		return Restarting
	case VerbRebuild:
		return Rebuilding
	case VerbDelete, VerbDeleteAfterStop, VerbDeleteForce:
		return Deleting
	default:
		return from
	}
}

func doneStatus(from Status, verb Verb, run bool, observed Status) Status {
	if observed != "" {
		return observed
	}
	switch verb {
	case VerbCreate, VerbRebuild:
		if run {
			return Running
		}
		return Created
	case VerbStart, VerbReboot, VerbUnpause:
		return Running
	case VerbStop, VerbKill:
		return Stopped
	case VerbPause:
		return Paused
	case VerbDelete, VerbDeleteAfterStop, VerbDeleteForce:
		return Deleted
	default:
		return from
	}
}

// alive says that a container in status s has a process.
func alive(s Status) bool { return s == Running || s == Paused || s == Restarting }

func failedStatus(from Status, verb Verb, observed Status) Status {
	switch verb {
	case VerbCreate:
		return Error
	case VerbStart, VerbReboot:
		if alive(observed) {
			return observed // an error would hide a process that runs
		}
		return Error
	case VerbRebuild:
		if observed == "" {
			return Error
		}
		return observed // the former object, which is kept until the new image is there
	case VerbDelete, VerbDeleteAfterStop, VerbDeleteForce:
		return Deleting // a failed delete is tried again; its reason is shown meanwhile
	}
	if observed != "" {
		return observed
	}
	return from
}

// Predict returns the status a container in from will have once the queued verbs
// have all been carried out; legality of one more verb is judged on it.
func Predict(from Status, queue []Queued) Status {
	status := from
	for _, q := range queue {
		status = Next(Next(status, q.Verb, Accepted, q.Run, ""), q.Verb, Done, q.Run, "")
	}
	return status
}

// Queued is one action that waits or runs, as Predict needs to know it.
type Queued struct {
	Verb Verb
	Run  bool
}

// TaskOf returns the task state shown while verb is being carried out.
func TaskOf(verb Verb) TaskState {
	switch verb {
	case VerbCreate:
		return ContainerCreating
	case VerbStart:
		return ContainerStarting
	case VerbStop:
		return ContainerStopping
	case VerbReboot:
		return ContainerRebooting
	case VerbRebuild:
		return ContainerRebuilding
	case VerbPause:
		return ContainerPausing
	case VerbUnpause:
		return ContainerUnpausing
	case VerbKill:
		return ContainerKilling
	case VerbDelete, VerbDeleteAfterStop, VerbDeleteForce:
		return ContainerDeleting
	case VerbAddGroup:
		return GroupAdding
	case VerbRemoveGroup:
		return GroupRemoving
	case VerbNetworkAttach:
		return NetworkAttaching
	case VerbNetworkDetach:
		return NetworkDetaching
	default:
		return Idle
	}
}
