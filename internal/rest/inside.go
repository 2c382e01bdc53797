package rest

import (
	"bytes"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/draft"
	"github.com/go-zun/zun/internal/rest/view"
)

func readLogs(c *call) (any, error) {
	query, err := draft.LogQuery(c.args)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = c.Insides.Logs(c.ctx(), c.actor, c.ref, query, func(_ domain.LogStream, chunk []byte) error {
		if int64(text.Len()+len(chunk)) > c.Options.MaxLog {
			return domain.NewFault(domain.TooLarge, "log-too-large", "The log is larger than %d bytes; ask for its tail.", c.Options.MaxLog)
		}
		text.Write(chunk)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return text.String(), nil
}

func execute(c *call) (any, error) {
	words, err := draft.Split(c.args.Text("command"))
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, domain.NewFault(domain.Invalid, "invalid-value", "The command is empty.")
	}
	if !c.args.Boolean("run", true) {
		session, err := c.Insides.ExecSession(c.ctx(), c.actor, c.ref, words, c.args.Boolean("interactive", false))
		if err != nil {
			return nil, err
		}
		return api.ExecuteResult{ExecID: &session.ExecID, ProxyURL: &session.URL}, nil
	}
	result, err := c.Insides.ExecRun(c.ctx(), c.actor, c.ref, words)
	if err != nil {
		return nil, err
	}
	output := string(result.Output)
	return api.ExecuteResult{Output: &output, ExitCode: &result.ExitCode}, nil
}

// size reads w and h; both are needed.
func (c *call) size() (w, h int, err error) {
	columns, haveColumns := c.args.Whole("w")
	rows, haveRows := c.args.Whole("h")
	switch {
	case !haveColumns:
		return 0, 0, missing("w")
	case !haveRows:
		return 0, 0, missing("h")
	}
	return int(columns), int(rows), nil
}

func missing(name string) error {
	return domain.NewFault(domain.Invalid, "schema-validation-error", "'%s' is a required property", name)
}

func resizeExec(c *call) (any, error) {
	w, h, err := c.size()
	if err != nil {
		return nil, err
	}
	return nil, c.Insides.ExecResize(c.ctx(), c.actor, c.ref, c.args.Text("exec_id"), w, h)
}

func resizeTerminal(c *call) (any, error) {
	w, h, err := c.size()
	if err != nil {
		return nil, err
	}
	return nil, c.Insides.Resize(c.ctx(), c.actor, c.ref, w, h)
}

func attach(c *call) (any, error) {
	session, err := c.Insides.Attach(c.ctx(), c.actor, c.ref)
	if err != nil {
		return nil, err
	}
	return session.URL, nil
}

func top(c *call) (any, error) {
	args := c.args.Text("ps_args")
	if args == "None" {
		args = "" // what a widely used client sends when it means no arguments
	}
	table, err := c.Insides.Top(c.ctx(), c.actor, c.ref, args)
	if err != nil {
		return nil, err
	}
	return view.Processes(table), nil
}

func stats(c *call) (any, error) {
	row, sample, err := c.Insides.Stats(c.ctx(), c.actor, c.ref)
	if err != nil {
		return nil, err
	}
	return view.Stats(row.Spec.Name, sample), nil
}

func commitContainer(c *call) (any, error) {
	image, err := c.Snapshots.Commit(c.ctx(), c.actor, c.ref, c.args.Text("repository"), c.args.Text("tag"))
	if err != nil {
		return nil, err
	}
	return api.CommitResult{UUID: image}, nil
}
