package wire

import (
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

// FromExecResult puts r on the wire.
func FromExecResult(r domain.ExecResult) *linkv1.ExecRunReply {
	return &linkv1.ExecRunReply{ExecId: r.ExecID, Output: r.Output, ExitCode: int64(r.ExitCode)}
}

// ToExecResult reads m.
func ToExecResult(m *linkv1.ExecRunReply) domain.ExecResult {
	return domain.ExecResult{ExecID: m.GetExecId(), Output: m.GetOutput(), ExitCode: int(m.GetExitCode())}
}

// FromLogQuery puts q on the wire; the caller adds whom it is for.
func FromLogQuery(q domain.LogQuery) *linkv1.LogsRequest {
	return &linkv1.LogsRequest{
		Stdout: q.Stdout, Stderr: q.Stderr, Timestamps: q.Timestamps,
		Tail: int64(q.Tail), Since: fromTime(q.Since),
	}
}

// ToLogQuery reads m.
func ToLogQuery(m *linkv1.LogsRequest) domain.LogQuery {
	return domain.LogQuery{
		Stdout: m.GetStdout(), Stderr: m.GetStderr(), Timestamps: m.GetTimestamps(),
		Tail: int(m.GetTail()), Since: toTime(m.GetSince()),
	}
}

// FromProcessTable puts t on the wire.
func FromProcessTable(t domain.ProcessTable) *linkv1.TopReply {
	return &linkv1.TopReply{
		Titles: texts(t.Titles),
		Processes: each(t.Processes, func(row []string) *linkv1.ProcessRow {
			return &linkv1.ProcessRow{Cells: each(row, func(cell string) []byte { return []byte(cell) })}
		}),
	}
}

// ToProcessTable reads m.
func ToProcessTable(m *linkv1.TopReply) domain.ProcessTable {
	return domain.ProcessTable{
		Titles: m.GetTitles(),
		Processes: each(m.GetProcesses(), func(row *linkv1.ProcessRow) []string {
			return each(row.GetCells(), func(cell []byte) string { return string(cell) })
		}),
	}
}

// FromStats puts s on the wire.
func FromStats(s domain.Stats) *linkv1.StatsReply {
	return &linkv1.StatsReply{
		CpuPercent: s.CPUPercent, MemoryUsage: s.MemoryUsage, MemoryLimit: s.MemoryLimit,
		BlockRead: s.BlockRead, BlockWrite: s.BlockWrite, NetRecv: s.NetRecv, NetSent: s.NetSent,
		Pids: s.PIDs, At: fromTime(s.At),
	}
}

// ToStats reads m.
func ToStats(m *linkv1.StatsReply) domain.Stats {
	return domain.Stats{
		CPUPercent: m.GetCpuPercent(), MemoryUsage: m.GetMemoryUsage(), MemoryLimit: m.GetMemoryLimit(),
		BlockRead: m.GetBlockRead(), BlockWrite: m.GetBlockWrite(), NetRecv: m.GetNetRecv(), NetSent: m.GetNetSent(),
		PIDs: m.GetPids(), At: toTime(m.GetAt()),
	}
}

// FromPathStat puts s on the wire.
func FromPathStat(s domain.PathStat) *linkv1.PathStat {
	return &linkv1.PathStat{
		Name: []byte(s.Name), Size: s.Size, Mode: s.Mode, Mtime: fromTime(s.Mtime), LinkTarget: []byte(s.LinkTarget),
	}
}

// ToPathStat reads m.
func ToPathStat(m *linkv1.PathStat) domain.PathStat {
	return domain.PathStat{
		Name: string(m.GetName()), Size: m.GetSize(), Mode: m.GetMode(),
		Mtime: toTime(m.GetMtime()), LinkTarget: string(m.GetLinkTarget()),
	}
}
