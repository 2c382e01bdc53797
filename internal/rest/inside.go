package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/archive"
	"github.com/go-zun/zun/internal/rest/draft"
	"github.com/go-zun/zun/internal/rest/view"
)

func readLogs(c *call) (any, error) {
	query, err := c.logQuery()
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

func (c *call) logQuery() (domain.LogQuery, error) {
	q := domain.LogQuery{Stdout: c.args.Boolean("stdout", true), Stderr: c.args.Boolean("stderr", true), Timestamps: c.args.Boolean("timestamps", false), Tail: -1}
	if n, isNumber := c.args.Whole("tail"); isNumber && n >= 0 && n < 1<<31 {
		q.Tail = int(n)
	}
	since := draft.PlainText(c.args["since"])
	if c.args["since"] == nil || since == "" {
		return q, nil
	}
	if seconds, err := strconv.ParseInt(since, 10, 64); err == nil {
		q.Since = time.Unix(seconds, 0)
		return q, nil
	}
	at, err := time.Parse("2006-01-02 15:04:05", strings.Split(since, ",")[0])
	if err != nil {
		return q, domain.WrapFault(err, domain.Invalid, "invalid-value", "since is no time: %s", since)
	}
	q.Since = at
	return q, nil
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

// getArchive sends the archive as it comes from the host, so that its size does not
// matter to this process. An error after the first byte can only cut the answer.
func getArchive(c *call) (any, error) {
	if archive.Asked(c.r) {
		return getTar(c)
	}
	if !c.version.Has(api.ArchiveBase64) {
		return textArchive(c)
	}
	out, release := archive.Bounded(c.w)
	defer release()
	var encoder io.WriteCloser
	begin := func() error {
		c.w.Header().Set("Content-Type", "application/json")
		c.w.WriteHeader(c.route.Status)
		encoder = base64.NewEncoder(base64.StdEncoding, out)
		_, err := io.WriteString(out, `{"data":"`)
		return err
	}
	stat, err := c.Files.GetArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), func(chunk []byte) error {
		if encoder == nil {
			if err := begin(); err != nil {
				return err
			}
		}
		_, err := encoder.Write(chunk)
		return err
	})
	switch {
	case err != nil && encoder == nil:
		return nil, err
	case err != nil:
		panic(http.ErrAbortHandler) // the client must see that the archive is cut
	case encoder == nil:
		shown := view.PathStat(stat)
		return api.Archive{Stat: &shown}, nil
	}
	c.endArchive(encoder, stat)
	return sent{}, nil
}

func (c *call) endArchive(encoder io.Closer, stat domain.PathStat) {
	text, err := json.Marshal(view.PathStat(stat))
	if err != nil || encoder.Close() != nil {
		panic(http.ErrAbortHandler) // the client must see that the archive is cut
	}
	_, _ = c.w.Write([]byte(`","stat":` + string(text) + "}\n")) // the client is gone; nobody is left to be told
}

// textArchive is the archive as clients below 1.25 read it: its bytes as text.
func textArchive(c *call) (any, error) {
	var data bytes.Buffer
	stat, err := c.Files.GetArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), func(chunk []byte) error {
		if int64(data.Len()+len(chunk)) > c.Options.MaxLog {
			return domain.NewFault(domain.TooLarge, "archive-too-large", "The archive is larger than %d bytes; use version 1.25.", c.Options.MaxLog)
		}
		data.Write(chunk)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown := view.PathStat(stat)
	return api.Archive{Data: data.String(), Stat: &shown}, nil
}
