package config

import (
	"cmp"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// binder fills typed fields from settings that were judged before; it remembers
// which rows were read, so that a test can hold the table against the truth.
type binder struct{ *settings }

func (b binder) text(section, name string) string {
	key := section + "." + name
	b.used[key] = true
	value, err := b.value(b.rows[key])
	if err != nil {
		return ""
	}
	return value
}

func (b binder) number(section, name string) float64 {
	number, err := parseNumber(b.rows[section+"."+name].Type, b.text(section, name))
	if err != nil {
		return 0
	}
	return number
}

func (b binder) whole(section, name string) int64 { return int64(b.number(section, name)) }

func (b binder) span(section, name string) time.Duration { return seconds(b.number(section, name)) }

func (b binder) list(section, name string) []string { return parseList(b.text(section, name)) }

func (b binder) truth(section, name string) bool {
	truth, err := parseBool(b.text(section, name))
	return err == nil && truth
}

func (b binder) prefixes(section, name string) []netip.Prefix {
	prefixes, err := parsePrefixes(b.text(section, name))
	if err != nil {
		return nil
	}
	return prefixes
}

// config fills every struct. base is the directory that relative policy files
// stand in.
func (b binder) config(base string) Config {
	address, err := netip.ParseAddr(b.text("DEFAULT", "my_ip"))
	if err != nil {
		address = netip.IPv4Unspecified()
	}
	return Config{
		MyIP: address, StatePath: b.text("DEFAULT", "state_path"),
		API:         b.api(),
		SSL:         SSL{CertFile: b.text("ssl", "cert_file"), KeyFile: b.text("ssl", "key_file"), CAFile: b.text("ssl", "ca_file")},
		CORS:        b.cors(),
		Database:    Database{Connection: b.text("database", "connection"), MaxConns: int(b.whole("database", "max_pool_size"))},
		Log:         b.log(),
		Identity:    b.identity(),
		Keystone:    b.keystone(),
		Policy:      b.policy(base),
		Secrets:     Secrets{KeyFile: b.text("secrets", "key_file")},
		Defaults:    b.defaults(),
		Bounds:      b.bounds(),
		Quota:       b.quota(),
		Volume:      b.volume(),
		Scheduler:   b.scheduler(),
		Deadlines:   b.deadlines(),
		Compute:     b.compute(),
		ImageCache:  b.imageCache(),
		ImagePolicy: b.imagePolicy(),
		Engine:      b.engine(),
		Docker:      b.docker(),
		Agent:       b.agent(),
		Local:       b.local(),
		WebSocket:   b.webSocket(),
		Registries: Registries{Default: b.text("docker", "default_registry"),
			Username: b.text("docker", "default_registry_username"), Password: b.text("docker", "default_registry_password")},
	}
}

func (b binder) api() API {
	return API{
		Listen: net.JoinHostPort(b.text("api", "host_ip"), b.text("api", "port")), TLS: b.truth("api", "enable_ssl_api"),
		MaxLimit: int(b.whole("api", "max_limit")), LinkAddress: b.text("api", "link_address"),
		PublicEndpoint: strings.TrimSuffix(b.text("api", "public_endpoint"), "/"), TrustedProxies: b.prefixes("api", "trusted_proxies"),
		Extensions: b.truth("api", "extensions"), ReplyTimeout: b.span("DEFAULT", "rpc_response_timeout"),
		StopTimeout: b.span("DEFAULT", "graceful_shutdown_timeout"),
		LogFollow: LogFollow{Longest: b.span("api", "log_follow_timeout"),
			PerContainer: int(b.whole("api", "log_followers_per_container")), PerProject: int(b.whole("api", "log_followers_per_project"))},
	}
}

func (b binder) cors() CORS {
	return CORS{Origins: b.list("cors", "allowed_origin"), Methods: b.list("cors", "allow_methods"), Headers: b.list("cors", "allow_headers"),
		Exposed: b.list("cors", "expose_headers"), Credentials: b.truth("cors", "allow_credentials"), MaxAge: b.span("cors", "max_age")}
}

func (b binder) log() Log {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError}
	log := Log{Level: levels[b.text("log", "level")], JSON: b.text("log", "format") == "json" || b.truth("DEFAULT", "use_json"),
		File: b.text("DEFAULT", "log_file")}
	if b.truth("DEFAULT", "debug") {
		log.Level = slog.LevelDebug
	}
	if dir := b.text("DEFAULT", "log_dir"); log.File != "" && !filepath.IsAbs(log.File) {
		log.File = filepath.Join(dir, log.File)
	}
	return log
}

func (b binder) identity() Identity {
	return Identity{Driver: b.text("identity", "driver"), Region: b.text("identity", "region_name"), TokenLife: b.span("identity", "token_expiration"),
		TokenKeyFile: b.text("identity", "token_key_file"), RevocationFile: b.text("identity", "revocation_file"),
		UsersFile: b.text("local", "users_file"), OpenRCFile: b.text("local", "openrc_file"), CloudsFile: b.text("local", "clouds_file")}
}

func (b binder) keystone() Keystone {
	const s = "keystone_authtoken"
	return Keystone{PublicURL: b.text(s, "www_authenticate_uri"), AuthURL: b.text(s, "auth_url"), Username: b.text(s, "username"),
		Password: b.text(s, "password"), ProjectName: b.text(s, "project_name"), UserDomain: b.text(s, "user_domain_name"),
		ProjectDomain: b.text(s, "project_domain_name"), Region: b.text(s, "region_name"), CAFile: b.text(s, "cafile"), Insecure: b.truth(s, "insecure")}
}

func (b binder) policy(base string) Policy {
	beside := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(base, name)
	}
	const file, dirs = "oslo_policy.policy_file", "oslo_policy.policy_dirs"
	p := Policy{File: beside(b.text("oslo_policy", "policy_file")), Required: len(b.given[file]) > 0}
	b.used[dirs] = true
	values, err := b.values(b.rows[dirs])
	if err != nil {
		return p
	}
	for _, dir := range values {
		if dir != "" {
			p.Dirs = append(p.Dirs, beside(dir))
		}
	}
	return p
}

func (b binder) defaults() Defaults {
	const s = "DEFAULT"
	return Defaults{CPU: b.number(s, "default_cpu"), MemoryMB: b.whole(s, "default_memory"), MemorySwapMB: b.whole(s, "default_memory_swap"),
		DiskGB: b.whole(s, "default_disk"), Runtime: b.text(s, "container_runtime"), Zone: b.text(s, "default_availability_zone"),
		ScheduleZone: b.text(s, "default_schedule_zone"), ImageDriver: b.text(s, "default_image_driver"), ImageDrivers: b.list(s, "image_driver_list")}
}

func (b binder) bounds() Bounds {
	const s = "DEFAULT"
	return Bounds{MinCPU: b.number(s, "minimum_cpus"), MaxCPU: b.number(s, "maximum_cpus"),
		MinMemoryMB: b.whole(s, "minimum_memory"), MaxMemoryMB: b.whole(s, "maximum_memory"),
		MinDiskGB: b.whole(s, "minimum_disk"), MaxDiskGB: b.whole(s, "maximum_disk")}
}

func (b binder) quota() Quota {
	const s = "quota"
	return Quota{Enforced: !strings.HasSuffix(b.text(s, "driver"), "NoopQuotaDriver"), Containers: b.whole(s, "containers"),
		CPU: b.whole(s, "cpu"), MemoryMB: b.whole(s, "memory"), DiskGB: b.whole(s, "disk"), Images: b.whole(s, "images")}
}

func (b binder) volume() Volume {
	const s = "volume"
	return Volume{Local: slices.Contains(b.list(s, "driver_list"), "local"), Dir: b.text(s, "volume_dir"), FSType: b.text(s, "fstype")}
}

func (b binder) deadlines() Deadlines {
	return Deadlines{Silence: b.span("deadlines", "silence"), Total: b.span("deadlines", "total"),
		HostDown: b.span("DEFAULT", "service_down_time"), LongestBeat: b.span("DEFAULT", "periodic_interval_max")}
}

func (b binder) scheduler() Scheduler {
	const s = "scheduler"
	return Scheduler{Filters: b.list(s, "enabled_filters"), Random: b.text(s, "driver") == "chance_scheduler",
		CPUWeight: b.number(s, "cpu_weight_multiplier"), MemoryWeight: b.number(s, "ram_weight_multiplier"),
		NearWeight: b.number(s, "soft_affinity_weight_multiplier"), ApartWeight: b.number(s, "soft_anti_affinity_weight_multiplier")}
}

func (b binder) imageCache() ImageCache {
	const s = "image_cache"
	return ImageCache{Remove: b.truth(s, "remove_unused_images"), Interval: b.span(s, "manager_interval"),
		UnusedAge: b.span(s, "remove_unused_minimum_age_seconds"), Grace: b.span(s, "grace_seconds"),
		HighWatermark: b.number(s, "disk_high_watermark") / 100, LowWatermark: b.number(s, "disk_low_watermark") / 100,
		PublicFor: b.span(s, "public_seconds")}
}

func (b binder) imagePolicy() ImagePolicy {
	const s = "image_policy"
	return ImagePolicy{File: b.text(s, "policy_file"), PlainRegistries: b.list(s, "insecure_registries"), CertificatesDir: b.text(s, "certificates_dir")}
}

func (b binder) compute() Compute {
	const s = "compute"
	ratio := func(name string) float64 {
		if b.text(s, name+"_allocation_ratio") != "" {
			return b.number(s, name+"_allocation_ratio")
		}
		return b.number(s, "initial_"+name+"_allocation_ratio")
	}
	c := Compute{UniqueNames: b.text(s, "unique_container_name_scope"), ReservedCPUs: int(b.whole(s, "reserved_host_cpus")),
		ReservedMemoryMB: b.whole(s, "reserved_host_memory_mb"), ReservedDiskMB: b.whole(s, "reserved_host_disk_mb"),
		ImageDiskShare: b.number(s, "reserve_disk_for_image"), CPURatio: ratio("cpu"), MemoryRatio: ratio("ram"), DiskRatio: ratio("disk"),
		Pinning: b.truth(s, "enable_cpu_pinning"), FloatingCPUs: b.text("DEFAULT", "floating_cpu_set")}
	return c
}

func (b binder) engine() Engine {
	const s = "engine"
	b.used["DEFAULT.container_driver"] = true // through the default of driver
	return Engine{Driver: b.text(s, "driver"), ReadySandboxes: int(b.whole(s, "ready_sandboxes")), PIDsLimit: b.whole(s, "pids_limit"),
		LogMaxBytes: b.whole(s, "log_max_size")}
}

func (b binder) docker() Docker {
	const s = "docker"
	return Docker{URL: b.text(s, "api_url"), Insecure: b.truth(s, "api_insecure"), CAFile: b.text(s, "ca_file"), CertFile: b.text(s, "cert_file"),
		KeyFile: b.text(s, "key_file"), ExecTimeout: b.span(s, "execute_timeout")}
}

func (b binder) agent() Agent {
	const s = "agent"
	b.used["DEFAULT.host"] = true // through the default of host
	own := b.text("DEFAULT", "my_ip")
	return Agent{Host: b.text(s, "host"), JoinToken: b.text(s, "join_token"), StateDir: b.text(s, "state_dir"), Listen: b.text(s, "listen"),
		Controls:         b.controls(s),
		AdvertiseAddress: cmp.Or(b.text(s, "advertise_address"), net.JoinHostPort(own, "9519")),
		Metrics:          b.text(s, "metrics_address")}
}

// controls are the replicas of control that section names, at least one.
func (b binder) controls(section string) []string {
	if named := b.list(section, "control_address"); len(named) > 0 {
		return named
	}
	return []string{net.JoinHostPort(b.text("DEFAULT", "my_ip"), "9518")}
}

func (b binder) local() Local {
	const s = "local"
	return Local{IPv4Pool: b.prefixes(s, "ipv4_pool"), IPv6Pool: b.prefixes(s, "ipv6_pool"), DNS: b.list(s, "dns"),
		Groups: b.truth(s, "security_groups"), GroupsFile: b.text(s, "security_groups_file")}
}

func (b binder) webSocket() WebSocket {
	const s = "websocket_proxy"
	listen := net.JoinHostPort(b.text(s, "wsproxy_host"), b.text(s, "wsproxy_port"))
	given := b.text(s, "base_url")
	return WebSocket{Listen: listen, BaseURL: cmp.Or(given, "ws://"+listen+"/"), BaseURLGiven: given != "",
		AllowedOrigins: b.list(s, "allowed_origins"), CertFile: b.text(s, "cert"), KeyFile: b.text(s, "key"), TLSOnly: b.truth(s, "ssl_only"),
		InsideAPI: b.truth(s, "inside_api"), Name: b.text(s, "name"), Controls: b.controls(s), JoinToken: b.text(s, "join_token"),
		StateDir: b.text(s, "state_dir"), Idle: b.span(s, "idle_timeout"), Longest: b.span(s, "session_timeout"),
		PerContainer: int(b.whole(s, "max_per_container")), PerProject: int(b.whole(s, "max_per_project")), WrongPerMinute: int(b.whole(s, "max_wrong_tickets")),
		Metrics: b.text(s, "metrics_address")}
}
