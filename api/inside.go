package api

// ExecuteResult answers execute: either the output and exit code of a command that
// ran, or the session to connect to.
type ExecuteResult struct {
	Output   *string `json:"output"`
	ExitCode *int    `json:"exit_code"`
	ExecID   *string `json:"exec_id"`
	ProxyURL *string `json:"proxy_url"`
}

// ProcessTable answers top.
type ProcessTable struct {
	Titles    []string   `json:"Titles"`
	Processes [][]string `json:"Processes"`
}

// Stats answers stats. Memory is mebibytes; the two I/O pairs are bytes, "in/out".
type Stats struct {
	Container   string  `json:"CONTAINER"`
	CPU         float64 `json:"CPU %"`
	MemoryUsage float64 `json:"MEM USAGE(MiB)"`
	MemoryLimit float64 `json:"MEM LIMIT(MiB)"`
	Memory      float64 `json:"MEM %"`
	BlockIO     string  `json:"BLOCK I/O(B)"`
	NetIO       string  `json:"NET I/O(B)"`
}

// Archive carries a tar: base64 from 1.25 on, raw text before.
type Archive struct {
	Data string    `json:"data"`
	Stat *PathStat `json:"stat,omitempty"`
}

// PathStat describes the path an archive was taken from.
type PathStat struct {
	Name       string `json:"name"`
	Size       int64  `json:"size"`
	Mode       uint32 `json:"mode"`
	Mtime      string `json:"mtime"`
	LinkTarget string `json:"linkTarget"`
}

// CommitResult answers commit with the image to be.
type CommitResult struct {
	UUID string `json:"uuid"`
}

// ContainerNetworks answers network_list from 1.18 on.
type ContainerNetworks struct {
	Networks []ContainerNetwork `json:"networks"`
}

// ContainerNetwork is one port of a container.
type ContainerNetwork struct {
	NetID    string    `json:"net_id"`
	PortID   string    `json:"port_id"`
	FixedIPs []FixedIP `json:"fixed_ips"`
}

// FixedIP is one address of a port.
type FixedIP struct {
	SubnetID  string `json:"subnet_id"`
	Version   int    `json:"version"`
	IPAddress string `json:"ip_address"`
}

// ContainerAddresses answers network_list up to 1.17.
type ContainerAddresses struct {
	Networks []ContainerAddress `json:"networks"`
}

// ContainerAddress is one address of a container.
type ContainerAddress struct {
	NetID     string `json:"net_id"`
	SubnetID  string `json:"subnet_id"`
	PortID    string `json:"port_id"`
	Version   int    `json:"version"`
	IPAddress string `json:"ip_address"`
}

// Action is the record of one request on a container. Times are UTC,
// "2006-01-02T15:04:05.000000".
type Action struct {
	Action        string  `json:"action"`
	ContainerUUID string  `json:"container_uuid"`
	RequestID     string  `json:"request_id"`
	UserID        string  `json:"user_id"`
	ProjectID     string  `json:"project_id"`
	StartTime     string  `json:"start_time"`
	FinishTime    *string `json:"finish_time"`
	Message       *string `json:"message"`         // "Error" once failed
	Events        []Event `json:"events,omitzero"` // nil in lists
}

// Event is one step of an action.
type Event struct {
	Event      string  `json:"event"`
	StartTime  string  `json:"start_time"`
	FinishTime *string `json:"finish_time"`
	Result     *string `json:"result"`
	Traceback  *string `json:"traceback"` // for administrators
}

// ActionList answers container_actions, newest first.
type ActionList struct {
	Actions []Action `json:"containerActions"`
}

// LogRecord is the data of one event of a followed log. The event's name says what it
// is: "begin", "line", "gap" or "end"; its id is the cursor to follow on behind it.
type LogRecord struct {
	Stream   string `json:"stream,omitempty"`    // of a line: "stdout" or "stderr"
	Time     string `json:"time,omitempty"`      // of a line: RFC 3339 with nanoseconds, UTC
	Data     []byte `json:"data,omitempty"`      // of a line: base64; with its line break, if it is whole
	Reason   string `json:"reason,omitempty"`    // of a gap or an end
	ExitCode *int   `json:"exit_code,omitempty"` // of an end for "exited", where it is known
	Resume   bool   `json:"resume,omitempty"`    // of an end: more may come to who follows on
}
