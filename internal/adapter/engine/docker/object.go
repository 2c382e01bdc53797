package docker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

const (
	roleSandbox = "sandbox"
	roleMember  = "member"

	// labelPorts keeps the ports that a spec exposes: the engine refuses them as such
	// on a container that joins the network of another.
	labelPorts = "zun.ports"
)

// objectOf turns what the engine knows of a container into the agent's words.
func objectOf(c container.InspectResponse, now time.Time) agent.Object {
	o := agent.Object{EngineID: c.ID}
	if created, err := time.Parse(time.RFC3339Nano, c.Created); err == nil {
		o.CreatedAt = created
	}
	if c.Config != nil {
		o.Container = domain.ContainerID(c.Config.Labels[domain.LabelContainer])
		o.Sandbox = c.Config.Labels[domain.LabelRole] == roleSandbox
		o.Generation, _ = strconv.ParseInt(c.Config.Labels[domain.LabelGeneration], 10, 64)
	}
	if id, isSandbox := strings.CutSuffix(strings.TrimPrefix(c.Name, "/zun-"), sandboxSuffix); o.Sandbox && isSandbox {
		o.Container = domain.ContainerID(id)
	}
	if c.HostConfig != nil {
		o.CPUSet = domain.CPUSet{CPUs: c.HostConfig.CpusetCpus, MemoryNodes: c.HostConfig.CpusetMems}
	}
	o.State = observationOf(c, now)
	if c.State != nil && c.State.Running {
		o.PID = c.State.Pid
		o.NetNS = fmt.Sprintf("/proc/%d/ns/net", c.State.Pid)
	}
	return o
}

func observationOf(c container.InspectResponse, now time.Time) domain.Observation {
	seen := domain.Observation{EngineID: c.ID, Status: domain.Unknown}
	if c.Config != nil {
		seen.Hostname, seen.Command, seen.Entrypoint = c.Config.Hostname, c.Config.Cmd, c.Config.Entrypoint
		for p := range c.Config.ExposedPorts {
			if n := int(p.Num()); !slices.Contains(seen.Ports, n) {
				seen.Ports = append(seen.Ports, n)
			}
		}
		for _, p := range strings.Split(c.Config.Labels[labelPorts], ",") {
			number, _, _ := strings.Cut(p, "/")
			if n, err := strconv.Atoi(number); err == nil && !slices.Contains(seen.Ports, n) {
				seen.Ports = append(seen.Ports, n)
			}
		}
		slices.Sort(seen.Ports)
	}
	if c.State == nil {
		return seen
	}
	seen.StartedAt, seen.FinishedAt = when(c.State.StartedAt), when(c.State.FinishedAt)
	seen.Status, seen.Detail = statusOf(c.State, seen, now)
	if seen.Status == domain.Stopped {
		code := c.State.ExitCode
		seen.ExitCode = &code
		seen.Reason = reasonOf(c.State)
	}
	if c.State.Health != nil && c.State.Health.Status != container.NoHealthcheck {
		seen.Health = string(healthOf(c, seen.StartedAt))
	}
	return seen
}

// usualRetries is how many checks must fail in a row where a health check does not say.
const usualRetries = 3

// healthOf is what the checks of this run found. The engine also says unhealthy while it
// makes none, as of a paused container, and goes on saying so until the next one: without
// enough failures in a row that is no finding, and the one before it holds.
func healthOf(c container.InspectResponse, started time.Time) container.HealthStatus {
	h, retries := c.State.Health, usualRetries
	if c.Config != nil && c.Config.Healthcheck != nil && c.Config.Healthcheck.Retries > 0 {
		retries = c.Config.Healthcheck.Retries
	}
	if h.Status != container.Unhealthy || h.FailingStreak >= retries {
		return h.Status
	}
	if slices.ContainsFunc(h.Log, func(r *container.HealthcheckResult) bool { return r.ExitCode == 0 && !r.Start.Before(started) }) {
		return container.Healthy
	}
	return container.Starting
}

// reasonOf is what a user should know of an end that was not the process's own.
func reasonOf(s *container.State) string {
	if s.OOMKilled {
		return "The container used more memory than it may and was ended."
	}
	return s.Error
}

func statusOf(s *container.State, seen domain.Observation, now time.Time) (domain.Status, string) {
	up := "Up " + span(now.Sub(seen.StartedAt))
	switch {
	case s.Error != "" && !s.Running && seen.StartedAt.IsZero():
		return domain.Stopped, fmt.Sprintf("Exited(%d) (%s)", s.ExitCode, s.Error)
	case s.Paused:
		return domain.Paused, up + " (paused)"
	case s.Restarting:
		return domain.Restarting, "Restarting"
	case s.Running:
		return domain.Running, up
	case s.Dead:
		return domain.Dead, "Dead"
	case seen.StartedAt.IsZero():
		return domain.Created, "Created"
	case !seen.FinishedAt.IsZero():
		detail := fmt.Sprintf("Exited(%d) %s ago", s.ExitCode, span(now.Sub(seen.FinishedAt)))
		if s.Error != "" {
			detail += " (" + s.Error + ")"
		}
		return domain.Stopped, detail
	default:
		return domain.Unknown, "unexpected container state"
	}
}

// when reads the engine's time; its word for never, the year 1, is the zero time.
func when(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// span says a duration in its largest unit, as the contract's details do.
func span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%d mins", d/time.Minute)
	default:
		return fmt.Sprintf("%d seconds", max(0, d/time.Second))
	}
}

// diskGB is the size of the file system that holds the engine's data, 0 if it
// cannot be told.
func diskGB(root string) int64 {
	var fs syscall.Statfs_t
	if root == "" || syscall.Statfs(root, &fs) != nil {
		return 0
	}
	return int64(fs.Blocks) * fs.Bsize >> 30
}
