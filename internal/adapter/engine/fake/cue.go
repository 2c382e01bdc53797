package fake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Op names a call that can be made to fail.
type Op string

// The calls.
const (
	OpInfo          Op = "info"
	OpList          Op = "list"
	OpInspect       Op = "inspect"
	OpWatch         Op = "watch"
	OpSandboxStage  Op = "sandbox.stage"
	OpSandboxEnsure Op = "sandbox.ensure"
	OpSandboxRemove Op = "sandbox.remove"
	OpCreate        Op = "member.create"
	OpStart         Op = "member.start"
	OpStop          Op = "member.stop"
	OpKill          Op = "member.kill"
	OpPause         Op = "member.pause"
	OpUnpause       Op = "member.unpause"
	OpUpdate        Op = "member.update"
	OpRemove        Op = "member.remove"
	OpCommit        Op = "member.commit"
	OpImagePresent  Op = "image.present"
	OpImagePull     Op = "image.pull"
	OpImageRemove   Op = "image.remove"
	OpImageList     Op = "image.list"
	OpImageResolve  Op = "image.resolve"
	OpExec          Op = "exec"
	OpAttach        Op = "attach"
	OpLogs          Op = "logs"
	OpTop           Op = "top"
	OpStats         Op = "stats"
	OpGetArchive    Op = "archive.get"
	OpPutArchive    Op = "archive.put"
)

// Cue makes the engine misbehave: the next Times calls of Op on Container take
// Delay longer and then fail with Fault, before any effect.
type Cue struct {
	Op        Op                 `json:"op"`        // empty: every call
	Container domain.ContainerID `json:"container"` // empty: of every container
	Fault     string             `json:"fault"`     // a word of FaultWords; empty: only the delay
	Message   string             `json:"message"`   // what the fault says
	Times     int                `json:"times"`     // 0: until cleared
	Delay     time.Duration      `json:"delay"`     // nanoseconds
}

// FaultWords are the words that a cue may name, with their kinds.
func FaultWords() map[string]domain.FaultKind {
	return map[string]domain.FaultKind{
		"internal": domain.Internal, "invalid": domain.Invalid, "forbidden": domain.Forbidden,
		"not-found": domain.NotFound, "conflict": domain.Conflict,
		"unavailable": domain.Unavailable, "timeout": domain.Timeout,
	}
}

// Cue adds c to the file cues.json of the directory. Another process may write the
// same file; it is a JSON list of cues, read before every call.
func (e *Engine) Cue(c Cue) error {
	if _, known := FaultWords()[c.Fault]; c.Fault != "" && !known {
		return fmt.Errorf("cue: no fault is called %q", c.Fault)
	}
	return e.changeCues(func(cues []Cue) []Cue { return append(cues, c) })
}

// ClearCues makes the engine behave again.
func (e *Engine) ClearCues() error {
	return e.changeCues(func([]Cue) []Cue { return nil })
}

func (e *Engine) cuesPath() string { return filepath.Join(e.store.dir, "cues.json") }

func (e *Engine) changeCues(fn func([]Cue) []Cue) error {
	unlock, err := e.store.lock()
	if err != nil {
		return err
	}
	defer unlock()
	var cues []Cue
	data, err := os.ReadFile(e.cuesPath())
	if err == nil {
		err = json.Unmarshal(data, &cues)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read cues: %w", err)
	}
	if cues = fn(cues); len(cues) > 0 {
		return writeJSON(e.cuesPath(), cues)
	}
	if err := os.Remove(e.cuesPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clear cues: %w", err)
	}
	return nil
}

func (e *Engine) hasCues() bool {
	_, err := os.Lstat(e.cuesPath())
	return err == nil
}

// cued carries out the first cue that fits the call, if there is one.
func (e *Engine) cued(ctx context.Context, op Op, id domain.ContainerID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !e.hasCues() {
		return nil // the common case
	}
	cue, err := e.takeCue(op, id)
	if err != nil || cue == nil {
		return err
	}
	if cue.Delay > 0 {
		select {
		case <-e.clock.After(cue.Delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if cue.Fault == "" {
		return nil
	}
	kind, known := FaultWords()[cue.Fault]
	if !known {
		return fmt.Errorf("cue: no fault is called %q", cue.Fault)
	}
	message := cue.Message
	if message == "" {
		message = "The engine failed on cue"
	}
	return domain.NewFault(kind, "cued", "%s", message)
}

func (e *Engine) takeCue(op Op, id domain.ContainerID) (*Cue, error) {
	var taken *Cue
	err := e.changeCues(func(cues []Cue) []Cue {
		for i, c := range cues {
			if c.Op != "" && c.Op != op || c.Container != "" && c.Container != id {
				continue
			}
			taken = &c
			if c.Times == 1 {
				return append(cues[:i:i], cues[i+1:]...)
			}
			if c.Times > 1 {
				cues[i].Times--
			}
			return cues
		}
		return cues
	})
	return taken, err
}
