package domain

import "time"

// ExecResult is the end of a command run inside a container. Output holds stdout
// and stderr as they came, cut at the service's bound.
type ExecResult struct {
	ExecID   string
	Output   []byte
	ExitCode int
}

// LogQuery selects log lines. Tail -1 is all; a zero Since is the beginning.
type LogQuery struct {
	Stdout, Stderr, Timestamps bool
	Tail                       int
	Since                      time.Time
}

// LogStream tells the streams of a log apart.
type LogStream uint8

// The streams of a log.
const (
	Stdout LogStream = 1
	Stderr LogStream = 2
)

// ProcessTable is what ps saw of a container.
type ProcessTable struct {
	Titles    []string
	Processes [][]string
}

// Stats is one sample of usage. CPUPercent is of one CPU over the last interval;
// sizes are bytes.
type Stats struct {
	CPUPercent                              float64
	MemoryUsage, MemoryLimit                uint64
	BlockRead, BlockWrite, NetRecv, NetSent uint64
	PIDs                                    uint64
	At                                      time.Time
}

// PathStat describes the path an archive was taken from.
type PathStat struct {
	Name       string
	Size       int64
	Mode       uint32
	Mtime      time.Time
	LinkTarget string
}
