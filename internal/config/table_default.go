package config

// The reasons that many rows share.
const (
	noPython  = "there is no Python package, wrapper or paste pipeline to configure"
	ownHolder = "a sandbox is held by a program of this service; no image is pulled for it"
	oneBinary = "one static process; nothing of this kind is started"
)

func defaultOptions() []Option {
	rows := append(hostOptions(), limitOptions()...)
	rows = append(rows, inert(noPython, []Option{
		{Name: "bindir", Default: "$pybasedir/bin", Help: "Where service executables live"},
		{Name: "pybasedir", Default: "/usr/lib/zun", Help: "Install directory of the package"},
		{Name: "rootwrap_config", Default: "/etc/zun/rootwrap.conf", Help: "Path of the rootwrap file"},
		{Name: "default_sleep_time", Type: Integer, Default: "1", Help: "Not used by any code of the original"},
		{Name: "default_timeout", Type: Integer, Default: "600", Help: "Not used by any code of the original"},
	})...)
	return in("DEFAULT", rows...)
}

func hostOptions() []Option {
	return []Option{
		{Name: "host", Shown: "(host name)", Help: "Name of this node in services, hosts and port bindings"},
		{Name: "my_ip", Type: Address, Shown: "(detected IPv4)", Help: "Management address of the node; base of several defaults"},
		{Name: "my_block_storage_ip", Default: "$my_ip", Help: "Address given to volume connectors",
			Use: Inert, Note: "no volume back end in this release"},
		{Name: "state_path", Default: "/var/lib/zun",
			Help: "Root of this service's state: database, keys, certificates. The original put it into its package directory"},
		{Name: "container_driver", Default: "docker", Choices: []string{"docker", "fake"},
			Help: "Container back end", Use: Mapped, Note: "the default of [engine] driver"},
		{Name: "capsule_driver", Default: "cri", Help: "Capsule back end",
			Use: Inert, Note: "no engine of this release runs capsules"},
		{Name: "container_runtime", Default: "runc", Help: "OCI runtime used when a container asks for none"},
		{Name: "default_availability_zone", Default: "nova", Help: "Zone this host reports, and the zone shown for services without one"},
		{Name: "default_schedule_zone", Help: "Zone requested when the user names none"},
		{Name: "service_down_time", Type: Seconds, Default: "180", Min: bound(3), Help: "Seconds without a beat after which a service counts as down"},
		{Name: "periodic_interval_max", Type: Seconds, Default: "60", Min: bound(1), Help: "Longest pause between periodic rounds",
			Use: Mapped, Note: "the longest interval that control answers to a beat"},
		{Name: "sync_container_state_interval", Type: Seconds, Default: "60", Min: bound(1), Help: "Seconds between state syncs",
			Use: Inert, Note: "the engine's events tell changes at once; after a break in them all containers are compared"},
		{Name: "floating_cpu_set", Help: "CPU list kept out of pinning, as 0-1,4; empty is the first CPU of the host"},
		{Name: "auth_encryption_key", Help: "Key for registry passwords", Secret: true,
			Use: Inert, Note: "secrets are sealed with the key file of [secrets] key_file"},
		{Name: "sandbox_image", Default: "kubernetes/pause", Help: "Image of a sandbox", Use: Inert, Note: ownHolder},
		{Name: "sandbox_image_driver", Default: "docker", Help: "Image driver for the sandbox image",
			Use: Inert, Note: ownHolder},
		{Name: "sandbox_image_pull_policy", Default: "ifnotpresent", Choices: []string{"always", "ifnotpresent", "never"},
			Help: "Pull policy for the sandbox image", Use: Inert, Note: ownHolder},
	}
}

func limitOptions() []Option {
	return []Option{
		{Name: "default_cpu", Type: Float, Default: "1.0", Min: bound(0), Help: "CPUs for containers that give none"},
		{Name: "default_memory", Type: Integer, Default: "512", Min: bound(0), Help: "MB for containers that give none"},
		{Name: "default_memory_swap", Type: Integer, Default: "-1", Min: bound(-1), Help: "Swap limit sent on memory update; -1 is unlimited"},
		{Name: "default_disk", Type: Integer, Default: "10", Min: bound(0), Help: "GB for containers that give none, only on hosts with disk quota support"},
		{Name: "minimum_cpus", Type: Float, Default: "0.1", Min: bound(0), Help: "Lower bound in request validation"},
		{Name: "maximum_cpus", Type: Float, Default: "16.0", Min: bound(0), Help: "Upper bound in request validation"},
		{Name: "minimum_memory", Type: Integer, Default: "4", Min: bound(0), Help: "Lower bound (MB) in request validation"},
		{Name: "maximum_memory", Type: Integer, Default: "8192", Min: bound(0), Help: "Upper bound (MB) in request validation"},
		{Name: "minimum_disk", Type: Integer, Default: "1", Min: bound(0), Help: "Lower bound (GB) in request validation"},
		{Name: "maximum_disk", Type: Integer, Default: "160", Min: bound(0), Help: "Upper bound (GB) in request validation"},
		{Name: "image_driver_list", Type: List, Default: "glance,docker", Help: "Enabled image drivers; also the accepted values of image_driver"},
		{Name: "default_image_driver", Default: "docker", Help: "Image driver when none is given"},
	}
}
