package config

func engineOptions() []Option {
	rows := ours(in("engine",
		Option{Name: "driver", Default: "$container_driver", Choices: []string{"docker", "fake"}, Help: "Engine that the agent drives; fake keeps containers in memory, for tests"},
		Option{Name: "ready_sandboxes", Type: Integer, Default: "2", Min: bound(0), Max: bound(100), Help: "Sandboxes kept ready per host, for containers that ask for no hostname"},
		Option{Name: "pids_limit", Type: Integer, Default: "4096", Min: bound(-1), Help: "Processes that one container may have; -1 is unlimited"},
		Option{Name: "log_max_size", Type: Size, Default: "10m", Min: bound(0), Help: "Size of a container's log; 0 is unlimited"},
	))
	rows = append(rows, in("docker",
		Option{Name: "api_url", Type: URI, Default: "unix:///var/run/docker.sock", Help: "Engine endpoint used by the agent"},
		Option{Name: "api_insecure", Type: Boolean, Default: "false", Help: "Do not verify the certificate of an engine that api_url names by tcp"},
		Option{Name: "ca_file", Help: "TLS CA"},
		Option{Name: "cert_file", Help: "TLS client certificate"},
		Option{Name: "key_file", Help: "TLS client key"},
		Option{Name: "default_registry", Help: "Registry put before image names without a domain"},
		Option{Name: "default_registry_username", Help: "Its user"},
		Option{Name: "default_registry_password", Help: "Its password", Secret: true},
		Option{Name: "default_timeout", Type: Seconds, Default: "60", Min: bound(1), Help: "Seconds for one call to the engine",
			Use: Inert, Note: "each call has a bound of its own: a stop its grace, a pull its progress, an exec execute_timeout"},
		Option{Name: "execute_timeout", Type: Seconds, Default: "5", Min: bound(1), Help: "Limit (s) for a synchronous exec"},
	)...)
	return append(rows, in("docker", inert("the engine has no TCP socket here: consoles and execs go through the agent, which negotiates the version", []Option{
		{Name: "docker_data_root", Default: "/var/lib/docker", Help: "Deprecated, not used", Note: "asked of the engine"},
		{Name: "docker_remote_api_host", Default: "$my_ip", Help: "Host of the engine's TCP API"},
		{Name: "docker_remote_api_port", Default: "2375", Help: "Port of it"},
		{Name: "docker_remote_api_url", Default: "tcp://$docker_remote_api_host:$docker_remote_api_port", Help: "URL stored with exec instances"},
		{Name: "docker_remote_api_version", Default: "1.26", Help: "Engine API version spoken"},
	})...)...)
}

func agentOptions() []Option {
	rows := ours(in("agent",
		Option{Name: "control_address", Type: HostPorts, Shown: "$my_ip:9518", Help: "Where control listens for agents; name every replica, the one that answers is used"},
		Option{Name: "join_token", Secret: true, Help: "One-use token of the first start; not needed once joined"},
		Option{Name: "state_dir", Default: "$state_path/agent", Help: "Where the agent keeps its key and certificate"},
		Option{Name: "listen", Type: HostPort, Default: ":9519", Help: "Where control reaches the agent, host:port"},
		Option{Name: "advertise_address", Type: HostPort, Shown: "$my_ip:9519", Help: "What the agent tells control to dial, host:port"},
		Option{Name: "host", Default: "$DEFAULT.host", Help: "Name of this node, if another than [DEFAULT] host"},
		Option{Name: "metrics_address", Type: HostPort, Help: "Where zun-compute answers GET /metrics, host:port, as 127.0.0.1:9520; empty is nowhere"},
	))
	rows = append(rows, in("compute",
		Option{Name: "unique_container_name_scope", Choices: []string{"", "project", "global"}, Help: "project or global makes names unique; empty is no check"},
		Option{Name: "reserved_host_cpus", Type: Integer, Default: "0", Min: bound(0), Help: "CPUs kept for the host in the inventory"},
		Option{Name: "reserved_host_memory_mb", Type: Integer, Default: "512", Min: bound(0), Help: "Memory kept for the host (MB)"},
		Option{Name: "reserved_host_disk_mb", Type: Integer, Default: "0", Min: bound(0), Help: "Disk kept for the host (MB)"},
		Option{Name: "reserve_disk_for_image", Type: Float, Default: "0.2", Min: bound(0), Max: bound(1), Help: "Share of the disk kept for images"},
		Option{Name: "initial_cpu_allocation_ratio", Type: Float, Default: "16.0", Min: bound(0), Help: "CPU overcommit where cpu_allocation_ratio is not set"},
		Option{Name: "initial_ram_allocation_ratio", Type: Float, Default: "1.5", Min: bound(0), Help: "Memory overcommit where ram_allocation_ratio is not set"},
		Option{Name: "initial_disk_allocation_ratio", Type: Float, Default: "1.0", Min: bound(0), Help: "Disk overcommit where disk_allocation_ratio is not set"},
		Option{Name: "cpu_allocation_ratio", Type: Float, Min: bound(0), Help: "Override of CPU overcommit"},
		Option{Name: "ram_allocation_ratio", Type: Float, Min: bound(0), Help: "Override of memory overcommit"},
		Option{Name: "disk_allocation_ratio", Type: Float, Min: bound(0), Help: "Override of disk overcommit"},
		Option{Name: "resume_container_state", Type: Boolean, Default: "false", Help: "Start containers that ran before the host went down",
			Use: Inert, Note: "each container's own restart policy says what is started again"},
		Option{Name: "enable_cpu_pinning", Type: Boolean, Default: "false", Help: "Host accepts dedicated CPUs"},
		Option{Name: "host_shared_with_nova", Type: Boolean, Default: "false", Help: "Use Nova's resource provider of the same host", Use: Inert, Note: noPlacement},
		Option{Name: "resource_provider_association_refresh", Type: Seconds, Default: "300", Help: "Seconds between refreshes of aggregates and traits", Use: Inert, Note: noPlacement},
		Option{Name: "remount_container_volume", Type: Boolean, Default: "true", Help: "Re-attach volumes when the service starts", Use: Inert, Note: noVolumes},
		Option{Name: "topic", Default: "zun-compute", Help: "RPC topic", Use: Inert, Note: "there is no message broker"},
	)...)
	return rows
}

func networkOptions() []Option {
	rows := ours(in("local",
		Option{Name: "ipv4_pool", Type: Prefixes, Default: "10.152.0.0/16", Help: "IPv4 range that projects' networks are cut from"},
		Option{Name: "ipv6_pool", Type: Prefixes, Default: "fd5a:756e::/48", Help: "IPv6 range that projects' networks are cut from; empty is IPv4 only"},
		Option{Name: "security_groups", Type: Boolean, Default: "true", Help: "Filter what goes to and from containers by security groups"},
		Option{Name: "security_groups_file", Default: "$state_path/security-groups.yaml", Help: "Security groups beside each project's default one; read again when it changes"},
		Option{Name: "dns", Type: List, Help: "Name servers told to containers; empty is what the host uses"},
		Option{Name: "users_file", Default: "$state_path/users.yaml", Help: "Users, projects and roles of the built-in identity"},
		Option{Name: "openrc_file", Default: "$state_path/openrc", Help: "Shell file with the administrator's log-in, written at first start"},
		Option{Name: "clouds_file", Default: "$state_path/clouds.yaml", Help: "clouds.yaml with the log-ins of first start"},
	))
	rows = append(rows, in("network", inert("the agent plumbs the network itself, without kuryr", []Option{
		{Name: "driver", Default: "kuryr", Help: "kuryr or zun_cni"},
		{Name: "driver_name", Default: "kuryr", Help: "Docker network plug-in of kuryr"},
	})...)...)
	rows = append(rows, in("neutron", inert(noNeutron, []Option{
		{Name: "ovs_bridge", Default: "br-int", Help: "Integration bridge if the binding does not name one"},
	})...)...)
	return append(rows, in("cni_daemon", inert("there is no CNI daemon in this release", []Option{
		{Name: "cni_daemon_host", Type: Address, Default: "127.0.0.1", Help: "Bind address of the daemon"},
		{Name: "cni_daemon_port", Type: Port, Default: "9036", Help: "Bind port"},
		{Name: "docker_mode", Type: Boolean, Default: "false", Help: "Daemon runs in a container"},
		{Name: "netns_proc_dir", Help: "Where the host's /proc is mounted in docker mode"},
		{Name: "pyroute2_timeout", Type: Integer, Default: "10", Help: "Netlink time-out (s)"},
		{Name: "sriov_physnet_resource_mappings", Type: Map, Help: "Physical network to device-plugin resource"},
		{Name: "sriov_resource_driver_mappings", Type: Map, Help: "Device-plugin resource to kernel driver"},
		{Name: "vif_active_timeout", Type: Integer, Default: "60", Help: "Seconds to wait for an active port"},
		{Name: "worker_num", Type: Integer, Default: "30", Help: "Worker processes"},
		{Name: "zun_cni_config_file", Default: "/etc/cni/net.d/10-zun-cni.conf", Help: "CNI configuration file to use"},
	})...)...)
}

func consoleOptions() []Option {
	rows := in("websocket_proxy",
		Option{Name: "wsproxy_host", Default: "$my_ip", Help: "Listen address"},
		Option{Name: "wsproxy_port", Type: Port, Default: "6784", Help: "Listen port"},
		Option{Name: "base_url", Type: URI, Shown: "ws://$wsproxy_host:$wsproxy_port/, or /console/ of the API where the API answers consoles itself", Help: "Public URL of the proxy given to clients"},
		Option{Name: "allowed_origins", Type: List, Help: "Additional Origin host names accepted"},
		Option{Name: "cert", Help: "TLS certificate of the proxy"},
		Option{Name: "key", Help: "TLS key of the proxy"},
		Option{Name: "ssl_only", Type: Boolean, Default: "false", Help: "Refuse plain connections; else the one port serves both where cert and key are set"},
	)
	return append(rows, ours(in("websocket_proxy",
		Option{Name: "inside_api", Type: Boolean, Default: "false", Help: "Answer consoles in zun-api too, at /console/ of its port; the all-in-one always does"},
		Option{Name: "name", Default: "$DEFAULT.host", Help: "Name under which zun-wsproxy joins the deployment"},
		Option{Name: "control_address", Type: HostPorts, Default: "$agent.control_address", Shown: "$my_ip:9518", Help: "Where control listens for console doors; several replicas are tried in turn"},
		Option{Name: "join_token", Secret: true, Help: "One-use token of zun-wsproxy's first start; not needed once joined"},
		Option{Name: "state_dir", Default: "$state_path/wsproxy", Help: "Where zun-wsproxy keeps its key and certificate"},
		Option{Name: "idle_timeout", Type: Seconds, Default: "3600", Help: "Seconds without a byte after which a console is closed; 0 is never"},
		Option{Name: "session_timeout", Type: Seconds, Default: "86400", Help: "Seconds after which any console is closed; 0 is never"},
		Option{Name: "max_per_container", Type: Integer, Default: "128", Min: bound(0), Help: "Consoles of one container open at once at all doors together; 0 is unlimited; read by zun-api"},
		Option{Name: "max_per_project", Type: Integer, Default: "512", Min: bound(0), Help: "Consoles of one project open at once at all doors together; 0 is unlimited; read by zun-api"},
		Option{Name: "max_wrong_tickets", Type: Integer, Default: "60", Min: bound(0), Help: "Wrong tickets of one address in a minute, after which none of its is looked at for a while; 0 is unlimited"},
		Option{Name: "metrics_address", Type: HostPort, Help: "Where zun-wsproxy answers GET /metrics, host:port, for whom its operator lets there; empty is nowhere. Those of zun-api's door are in zun-api's own"},
	))...)
}
