package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Attach implements agent.Attacher.
func (e *Engine) Attach(ctx context.Context, o agent.Object) (agent.Stream, error) {
	info, err := e.api.ContainerInspect(ctx, o.EngineID, client.ContainerInspectOptions{})
	if err != nil {
		return nil, fault(err)
	}
	if info.Container.State == nil || !info.Container.State.Running {
		return nil, domain.NewFault(domain.Conflict, "conflict", "Container %s is not running", o.Container)
	}
	attached, err := e.api.ContainerAttach(ctx, o.EngineID, client.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, stateFault(err)
	}
	s := newStream(attached.HijackedResponse, info.Container.Config.Tty)
	s.exit = func() (int, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exitBound)
		defer cancel()
		return e.memberCode(ctx, o)
	}
	return s, nil
}

// memberCode returns how a process ended whose output has ended, -1 if it goes on or nobody
// knows any more: a viewer may leave, a container may be deleted under him, and the engine
// notes the code a moment after the output's end.
func (e *Engine) memberCode(ctx context.Context, o agent.Object) (int, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 50 {
		now, err := e.inspect(ctx, o.EngineID)
		if domain.IsKind(err, domain.NotFound) {
			return -1, nil
		}
		if err != nil {
			return -1, err
		}
		if now.State.ExitCode != nil {
			return *now.State.ExitCode, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return -1, nil
		}
	}
	return -1, nil
}

// Resize implements agent.Attacher.
func (e *Engine) Resize(ctx context.Context, o agent.Object, w, h int) error {
	if _, err := e.api.ContainerResize(ctx, o.EngineID, client.ContainerResizeOptions{Width: uint(w), Height: uint(h)}); err != nil {
		return fault(err)
	}
	return nil
}

// logChunk is the most that is read of a log at once, in bytes.
const logChunk = 32 << 10

// Logs implements agent.Logger.
func (e *Engine) Logs(ctx context.Context, o agent.Object, q domain.LogQuery, sink func(stream domain.LogStream, chunk []byte) error) error {
	info, err := e.api.ContainerInspect(ctx, o.EngineID, client.ContainerInspectOptions{})
	if err != nil {
		return fault(err)
	}
	options := client.ContainerLogsOptions{ShowStdout: q.Stdout, ShowStderr: q.Stderr, Timestamps: q.Timestamps, Tail: "all"}
	if q.Tail >= 0 {
		options.Tail = strconv.Itoa(q.Tail)
	}
	if !q.Since.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", q.Since.Unix(), q.Since.Nanosecond())
	}
	log, err := e.api.ContainerLogs(ctx, o.EngineID, options)
	if err != nil {
		return fault(err)
	}
	defer func() { _ = log.Close() }()
	if info.Container.Config.Tty {
		return pump(log, func(chunk []byte) error { return sink(domain.Stdout, chunk) })
	}
	d := newDemux(log)
	return pump(d, func(chunk []byte) error { return sink(d.stream, chunk) })
}

// pump hands everything of r to sink until either ends.
func pump(r io.Reader, sink func([]byte) error) error {
	buffer := make([]byte, logChunk)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			if err := sink(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault(err)
		}
	}
}

// Top implements agent.Observer.
func (e *Engine) Top(ctx context.Context, o agent.Object, psArgs string) (domain.ProcessTable, error) {
	arguments := strings.Fields(psArgs)
	if i := slices.IndexFunc(arguments, titlesPID); i >= 0 {
		return domain.ProcessTable{}, domain.NewFault(domain.Invalid, "invalid", "ps may title no column PID by %q.", arguments[i])
	}
	result, err := e.api.ContainerTop(ctx, o.EngineID, client.ContainerTopOptions{Arguments: arguments})
	if err != nil {
		return domain.ProcessTable{}, topFault(err, psArgs)
	}
	return domain.ProcessTable{Titles: result.Titles, Processes: result.Processes}, nil
}

// titlesPID says whether an argument of ps titles a column PID. The engine lets ps show all
// processes of the host and keeps those which that column says are of the container: with
// the title above another column a user would read the environment of other processes.
func titlesPID(argument string) bool {
	_, title, _ := strings.Cut(argument, "=")
	return strings.Contains(title, "PID")
}

// topFault tells arguments that ps does not take from an engine that failed: the engine has
// one status for both.
func topFault(err error, psArgs string) error {
	text := plain(err)
	switch {
	case psArgs == "" || !errdefs.IsInternal(err) || strings.Contains(text, "executable file not found"):
		return stateFault(err)
	case strings.HasPrefix(text, "ps: exit status"):
		return domain.WrapFault(err, domain.Invalid, "invalid", "ps of the host finds no process by %q.", psArgs)
	case strings.HasPrefix(text, "ps: "), strings.Contains(text, "ps output"):
		return domain.WrapFault(err, domain.Invalid, "invalid", "ps of the host does not take %q: %s", psArgs, strings.TrimPrefix(text, "ps: "))
	default:
		return stateFault(err)
	}
}

// Stats implements agent.Observer. The engine takes two samples a second apart, so
// that the CPU figure is of that second and not since the start.
func (e *Engine) Stats(ctx context.Context, o agent.Object) (domain.Stats, error) {
	result, err := e.api.ContainerStats(ctx, o.EngineID, client.ContainerStatsOptions{IncludePreviousSample: true})
	if err != nil {
		return domain.Stats{}, fault(err)
	}
	defer func() { _ = result.Body.Close() }()
	var sample container.StatsResponse
	if err := json.NewDecoder(result.Body).Decode(&sample); err != nil {
		return domain.Stats{}, fault(fmt.Errorf("read the statistics: %w", err))
	}
	stats := domain.Stats{
		CPUPercent: cpuPercent(sample), MemoryUsage: memoryInUse(sample.MemoryStats), MemoryLimit: sample.MemoryStats.Limit,
		PIDs: sample.PidsStats.Current, At: sample.Read,
	}
	for _, entry := range sample.BlkioStats.IoServiceBytesRecursive {
		switch strings.ToLower(entry.Op) {
		case "read":
			stats.BlockRead += entry.Value
		case "write":
			stats.BlockWrite += entry.Value
		}
	}
	stats.NetRecv, stats.NetSent, err = traffic(o.PID)
	return stats, err
}

func cpuPercent(s container.StatsResponse) float64 {
	used := float64(s.CPUStats.CPUUsage.TotalUsage) - float64(s.PreCPUStats.CPUUsage.TotalUsage)
	elapsed := float64(s.Read.Sub(s.PreRead).Nanoseconds())
	if used <= 0 || elapsed <= 0 || s.PreRead.IsZero() {
		return 0
	}
	return used / elapsed * 100
}

// memoryInUse leaves out the cache that the kernel would give back at once; version
// 1 and 2 of control groups call it differently.
func memoryInUse(m container.MemoryStats) uint64 {
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if cache, told := m.Stats[name]; told && cache < m.Usage {
			return m.Usage - cache
		}
	}
	return m.Usage
}

// traffic counts what went through the interfaces of a process's network namespace;
// the engine cannot, since the namespace is not of its making. A process that has just
// ended counts as one that does not run: nothing.
func traffic(pid int) (received, sent uint64, err error) {
	if pid == 0 {
		return 0, 0, nil
	}
	ns, err := netns.GetFromPid(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("open the network namespace of process %d: %w", pid, err)
	}
	defer func() { _ = ns.Close() }()
	handle, err := netlink.NewHandleAt(ns)
	if err != nil {
		return 0, 0, fmt.Errorf("look into the network namespace of process %d: %w", pid, err)
	}
	defer handle.Close()
	links, err := handle.LinkList()
	if err != nil {
		return 0, 0, fmt.Errorf("list the links of process %d: %w", pid, err)
	}
	for _, link := range links {
		if s := link.Attrs().Statistics; s != nil && link.Attrs().Name != "lo" {
			received, sent = received+s.RxBytes, sent+s.TxBytes
		}
	}
	return received, sent, nil
}

// GetArchive implements agent.Archiver.
func (e *Engine) GetArchive(ctx context.Context, o agent.Object, path string, sink func([]byte) error) (domain.PathStat, error) {
	result, err := e.api.CopyFromContainer(ctx, o.EngineID, client.CopyFromContainerOptions{SourcePath: path})
	if err != nil {
		return domain.PathStat{}, pathFault(err, path)
	}
	defer func() { _ = result.Content.Close() }()
	stat := domain.PathStat{Name: result.Stat.Name, Size: result.Stat.Size, Mode: uint32(result.Stat.Mode), Mtime: result.Stat.Mtime, LinkTarget: result.Stat.LinkTarget}
	return stat, pump(result.Content, sink)
}

// PutArchive implements agent.Archiver.
func (e *Engine) PutArchive(ctx context.Context, o agent.Object, path string, source agent.Reader) error {
	_, err := e.api.CopyToContainer(ctx, o.EngineID, client.CopyToContainerOptions{DestinationPath: path, Content: source})
	if err != nil {
		return pathFault(err, path)
	}
	return nil
}

// pathFault tells a path that is not there from a container that is not.
func pathFault(err error, path string) *domain.Fault {
	f := fault(err)
	if strings.Contains(f.Message, "processing tar file") || strings.Contains(f.Message, "invalid tar") {
		return domain.WrapFault(err, domain.Invalid, "invalid", "The archive could not be unpacked into %s", path)
	}
	if f.Kind == domain.NotFound && !strings.Contains(f.Message, "No such container") {
		return domain.WrapFault(err, domain.Invalid, "invalid", "Could not find the file %s in the container.", path)
	}
	return f
}
