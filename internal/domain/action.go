package domain

import "time"

// ActionState is where an action stands in its container's queue.
type ActionState string

// The states of an action. Only the oldest unfinished action of a container
// leaves Queued.
const (
	ActionQueued   ActionState = "queued"   // accepted, waits for the ones before it
	ActionPrepared ActionState = "prepared" // resources are ready; the host sees it
	ActionBegun    ActionState = "begun"    // the host committed to an effect that must not be sent twice
	ActionReleased ActionState = "released" // a delete: the host holds nothing more; control gives back the rest
	ActionDone     ActionState = "done"
	ActionFailed   ActionState = "failed"
	ActionCanceled ActionState = "canceled"
)

// Finished says whether no more will happen to an action in state s.
func (s ActionState) Finished() bool {
	return s == ActionDone || s == ActionFailed || s == ActionCanceled
}

// Action is one accepted request on a container: the durable intent.
type Action struct {
	ID        int64
	Container ContainerID
	Verb      Verb // DeleteAfterStop and DeleteForce are stored as VerbDelete with args
	Args      ActionArgs
	State     ActionState
	Message   string // "Error" once failed, as the contract has it
	Reason    string // what the user reads

	RequestID string
	UserID    string
	ProjectID string

	// Owner and Epoch are the lease: a holder's every write names its epoch, so a
	// holder that lost the lease can no longer write. LeaseUntil is in database time.
	Owner      string
	Epoch      int64
	LeaseUntil time.Time

	Attempts   int // tries put off so far; the pause before the next grows with them
	StartedAt  time.Time
	FinishedAt time.Time
	ProgressAt time.Time // last sign of progress; bounds silence
	Deadline   time.Time // bounds the whole
	RetryAt    time.Time // not before; zero: at once
}

// ActionArgs are the parameters of all verbs; each verb reads its own.
type ActionArgs struct {
	Run            bool       // create, rebuild: start afterwards
	TimeoutSeconds *int       // stop, reboot: grace before the kill; nil: the engine's default
	Signal         string     // kill
	Stop           bool       // delete: stop gracefully first
	Force          bool       // delete: as an operator
	Image          string     // rebuild
	ImageDriver    string     // rebuild
	Generation     int64      // rebuild: the one that it begins; never begun again
	Former         int64      // rebuild: the one before
	CPU            *float64   // update
	MemoryMB       *int64     // update
	Repository     string     // commit
	Tag            string     // commit
	ImageID        string     // commit: the uuid promised to the caller for the image to be
	OwnImage       string     // rebuild: the project's own image that Image names, as in Spec
	Name           *string    // resize_container
	AutoHeal       *bool      // resize_container
	Group          string     // add_security_group, remove_security_group
	Net            NetRequest // network_attach, network_detach: as asked
	// Choice is Net resolved with the user's token (network_attach), or the one that
	// Gone was made from (network_detach).
	Choice *NetChoice
	Gone   *Nic // network_detach, a network_attach that was given up: the interface that goes
	// Refused are the hosts that already refused this placement (create, rebuild).
	Refused []string
}

// Event is one step of an action as the records show it.
type Event struct {
	ID         int64
	ActionID   int64
	Name       string // "compute__do_container_create"
	Result     string // "Success", "Error" or empty while it runs
	Details    string // for admins
	StartedAt  time.Time
	FinishedAt time.Time
}

// Repeatable says whether the effect of verb may be applied again after a crash
// that hid whether it happened. A verb that is not repeatable is begun before its
// effect and ends as Error "outcome unknown" when the answer was lost.
func Repeatable(verb Verb) bool {
	switch verb {
	case VerbKill, VerbExecute, VerbCommit, VerbPutArchive:
		return false
	default:
		return true
	}
}

// Recorded says whether the action records show verb; changes of size and name are
// not among them.
func Recorded(verb Verb) bool {
	switch verb {
	case VerbUpdate, VerbResizeContainer, VerbRename:
		return false
	default:
		return true
	}
}

// EventName is the name under which the records show the carrying out of verb.
func EventName(verb Verb) string {
	switch verb {
	case VerbCreate:
		return "compute__do_container_create"
	case VerbAddGroup, VerbRemoveGroup, VerbNetworkAttach, VerbNetworkDetach:
		return "compute__" + string(verb)
	default:
		return "compute__container_" + string(verb)
	}
}
