package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// Config is everything that a process of this service is told, checked and typed.
type Config struct {
	MyIP      netip.Addr
	StatePath string

	API        API
	SSL        SSL
	CORS       CORS
	Database   Database
	Log        Log
	Identity   Identity
	Keystone   Keystone
	Policy     Policy
	Secrets    Secrets
	Defaults   Defaults
	Bounds     Bounds
	Quota      Quota
	Volume     Volume
	Scheduler  Scheduler
	Deadlines  Deadlines
	Compute    Compute
	Engine     Engine
	Docker     Docker
	Agent      Agent
	Local      Local
	WebSocket  WebSocket
	Registries Registries

	ImageCache  ImageCache
	ImagePolicy ImagePolicy
}

// API is the front door.
type API struct {
	Listen         string // host:port
	TLS            bool   // serve with SSL's certificate
	MaxLimit       int    // most items of one page
	LinkAddress    string // where agents reach control, host:port
	PublicEndpoint string // as clients see the API; "" when it is derived from the request
	TrustedProxies []netip.Prefix
	Extensions     bool
	// ReplyTimeout bounds the wait for a synchronous verb, StopTimeout a graceful stop.
	ReplyTimeout, StopTimeout time.Duration
	LogFollow                 LogFollow
}

// LogFollow bounds followed logs: how long one lasts, and how many are open at once.
type LogFollow struct {
	Longest                  time.Duration
	PerContainer, PerProject int // 0: no bound
}

// SSL names the files of the API's certificate.
type SSL struct{ CertFile, KeyFile, CAFile string }

// CORS is what browsers of other origins may do.
type CORS struct {
	Origins, Methods, Headers, Exposed []string
	Credentials                        bool
	MaxAge                             time.Duration
}

// Database is where state is kept.
type Database struct {
	Connection string
	MaxConns   int
}

// Log is how the process logs.
type Log struct {
	Level slog.Level
	JSON  bool
	File  string // "" is standard error
}

// Identity is who knows the users. All but Driver and Region concern the built-in one.
type Identity struct {
	Driver         string // "static" or "keystone"
	Region         string
	TokenLife      time.Duration
	TokenKeyFile   string
	RevocationFile string
	UsersFile      string
	OpenRCFile     string
	CloudsFile     string
}

// Keystone is the identity service outside.
type Keystone struct {
	PublicURL, AuthURL              string
	Username, Password, ProjectName string
	UserDomain, ProjectDomain       string
	Region, CAFile                  string
	Insecure                        bool
}

// Policy names the override files. Required says that somebody asked for File, so
// that its absence is a fault.
type Policy struct {
	File     string
	Required bool
	Dirs     []string
}

// Secrets names the key file that seals secrets at rest.
type Secrets struct{ KeyFile string }

// Defaults are what a request that leaves something out gets.
type Defaults struct {
	CPU          float64
	MemoryMB     int64
	MemorySwapMB int64 // -1 is unlimited
	DiskGB       int64
	Runtime      string
	Zone         string // shown for services without one
	ScheduleZone string // asked of the scheduler; "" is any
	ImageDriver  string
	ImageDrivers []string
}

// Bounds are the limits of one request.
type Bounds struct {
	MinCPU, MaxCPU           float64
	MinMemoryMB, MaxMemoryMB int64
	MinDiskGB, MaxDiskGB     int64
}

// Quota holds the limits of a project that has none of its own; -1 is unlimited.
type Quota struct {
	Enforced                          bool
	Containers, CPU, MemoryMB, DiskGB int64
	Images                            int64 // committed ones
}

// Volume says how hosts make volumes of a size.
type Volume struct {
	Local       bool // they do at all
	Dir, FSType string
}

// Scheduler chooses hosts.
type Scheduler struct {
	Filters []string
	Random  bool // draws among the hosts that pass
	// The weights of free CPU and memory, and of neighbours wished for and wished away.
	CPUWeight, MemoryWeight, NearWeight, ApartWeight float64
}

// Deadlines bound one action and one host's silence.
type Deadlines struct {
	Silence, Total time.Duration // of an action without progress, and in all
	HostDown       time.Duration // of a host without a beat
	LongestBeat    time.Duration // the longest interval answered to a beat
}

// Compute is what a host offers and keeps back.
type Compute struct {
	UniqueNames                      string // "", "project" or "global"
	ReservedCPUs                     int
	ReservedMemoryMB, ReservedDiskMB int64
	ImageDiskShare                   float64 // 0 to 1
	CPURatio, MemoryRatio, DiskRatio float64 // overcommit
	Pinning                          bool    // CPUs may be dedicated
	FloatingCPUs                     string  // a list of CPUs that are not; empty: the first
}

// Engine is what the agent makes containers with.
type Engine struct {
	Driver         string // "docker" or "fake"
	ReadySandboxes int
	PIDsLimit      int64 // -1 is unlimited
	LogMaxBytes    int64 // 0 is unlimited
}

// Docker is how the agent reaches the engine.
type Docker struct {
	URL                       string
	Insecure                  bool
	CAFile, CertFile, KeyFile string
	ExecTimeout               time.Duration
}

// ImageCache is when an image that this host pulled leaves it again.
type ImageCache struct {
	Remove   bool
	Interval time.Duration // between two looks
	// UnusedAge is how long nobody used an image that goes; 0: age alone removes none.
	UnusedAge time.Duration
	Grace     time.Duration // since its last use, in which no image goes
	// HighWatermark and LowWatermark are shares of the disk, 0 to 1: above the one
	// images go until it is down to the other.
	HighWatermark, LowWatermark float64
	PublicFor                   time.Duration // how long an image is taken for public once its registry said so
}

// ImagePolicy is what images must be, and how their signatures are read.
type ImagePolicy struct {
	File            string   // it may be missing
	PlainRegistries []string // hosts with or without a port, or networks, spoken to without TLS
	CertificatesDir string   // of registries, as Docker lays it out
}

// Registries is where images come from that name no registry.
type Registries struct{ Default, Username, Password string }

// Agent is the node agent's own side of the link.
type Agent struct {
	Host             string
	Controls         []string // host:port of each replica of control
	JoinToken        string
	StateDir         string
	Listen           string // host:port
	AdvertiseAddress string // host:port
	Metrics          string // host:port of zun-compute's figures; empty: none
}

// Local is the network without Neutron.
type Local struct {
	IPv4Pool []netip.Prefix
	IPv6Pool []netip.Prefix
	DNS      []string
	Groups   bool // security groups are enforced
	// GroupsFile is the operator's file of groups; it may be missing.
	GroupsFile string
}

// WebSocket is the console door.
type WebSocket struct {
	Listen            string // host:port
	BaseURL           string
	BaseURLGiven      bool // by the operator; else it is derived from where the door listens
	AllowedOrigins    []string
	CertFile, KeyFile string
	TLSOnly           bool
	InsideAPI         bool // zun-api answers consoles too
	// Name, JoinToken, StateDir and Controls, which are host:port, are zun-wsproxy's.
	Name, JoinToken, StateDir string
	Controls                  []string
	Idle, Longest             time.Duration // 0: never
	PerContainer, PerProject  int           // consoles open at once; 0: unlimited
	WrongPerMinute            int           // refused tickets of one address; 0: unlimited
	Metrics                   string        // host:port of zun-wsproxy's figures; empty: none
}
