package config

const (
	noNeutron   = "no Neutron back end in this release"
	noCinder    = "no Cinder back end in this release"
	noGlance    = "no Glance back end in this release"
	noPlacement = "no Placement back end in this release"
	noVolumes   = "no Cinder in this release"
)

func cloudOptions() []Option {
	rows := in("cinder_client", inert(noCinder, append([]Option{
		{Name: "api_version", Default: "3", Help: "API version used"}}, endpointOptions()...))...)
	rows = append(rows, in("glance_client", inert(noGlance, append(append([]Option{
		{Name: "api_version", Default: "2", Help: "API version used"}}, endpointOptions()...), clientCertOptions()...))...)...)
	rows = append(rows, in("glance", inert(noGlance, []Option{
		{Name: "images_directory", Default: "$state_path/images", Help: "Where Glance image tars are kept"}})...)...)
	rows = append(rows, in("neutron_client", inert(noNeutron, append(endpointOptions(), clientCertOptions()...))...)...)
	rows = append(rows, in("placement_client", inert(noPlacement, append(endpointOptions(), clientCertOptions()...))...)...)
	rows = append(rows, in("zun_client", inert("the original does not read it either",
		append(endpointOptions(), clientCertOptions()...))...)...)
	return append(rows, in("keystone_auth", inert("no back end of this release needs a service user", serviceUserOptions())...)...)
}

func endpointOptions() []Option {
	return []Option{
		{Name: "ca_file", Help: "CA bundle"},
		{Name: "endpoint_type", Default: "publicURL", Help: "Interface in the catalog"},
		{Name: "insecure", Type: Boolean, Default: "false", Help: "Skip server certificate check"},
		{Name: "region_name", Help: "Region in the catalog"},
	}
}

func clientCertOptions() []Option {
	return []Option{{Name: "cert_file", Help: "Client certificate"}, {Name: "key_file", Help: "Client key"}}
}

func serviceUserOptions() []Option {
	return []Option{
		{Name: "auth_url", Help: "Keystone URL"},
		{Name: "auth_section", Help: "Read the plug-in options from another section"},
		{Name: "auth_type", Help: "keystoneauth plug-in name"},
		{Name: "default_domain_id", Help: "Domain for user and project"},
		{Name: "default_domain_name", Help: "Domain name for user and project"},
		{Name: "domain_id", Help: "Domain scope"},
		{Name: "domain_name", Help: "Domain scope by name"},
		{Name: "password", Help: "Password of the service user", Secret: true},
		{Name: "project_domain_id", Help: "Domain of the project"},
		{Name: "project_domain_name", Help: "Domain of the project by name"},
		{Name: "project_id", Help: "Project scope"},
		{Name: "project_name", Help: "Project scope by name"},
		{Name: "system_scope", Help: "System scope"},
		{Name: "trust_id", Help: "Trust to use"},
		{Name: "user_domain_id", Help: "Domain of the user"},
		{Name: "user_domain_name", Help: "Domain of the user by name"},
		{Name: "user_id", Help: "User id"},
		{Name: "username", Help: "User name"},
	}
}

func volumeOptions() []Option {
	rows := in("volume",
		Option{Name: "driver_list", Type: List, Default: "cinder,local", Help: "Enabled volume providers: local makes mounts of a size on the host's own disk, cinder is not there yet"},
		Option{Name: "fstype", Default: "ext4", Choices: []string{"ext4", "xfs"}, Help: "File system for mounts and mkfs"},
		Option{Name: "volume_dir", Default: "$state_path/mnt", Help: "Where volumes are mounted on the host"},
	)
	rows = append(rows, in("volume", inert(noVolumes, []Option{
		{Name: "driver", Default: "cinder", Help: "Deprecated, not used", Note: "the original does not read it either"},
		{Name: "timeout_wait_volume_available", Type: Integer, Default: "60", Help: "Seconds to wait for a volume before attach"},
		{Name: "timeout_wait_volume_deleted", Type: Integer, Default: "60", Help: "Seconds to wait for deletion"},
		{Name: "use_multipath", Type: Boolean, Default: "false", Help: "Multipath connections"},
	})...)...)
	return append(rows, in("pci", inert("devices are not passed through in this release", []Option{
		{Name: "alias", Type: Multi, Help: "JSON definitions of device aliases", Note: "the original does not read it either"},
		{Name: "passthrough_whitelist", Type: Multi, Help: "JSON filters of devices offered for pass-through"},
	})...)...)
}

func tracingOptions() []Option {
	return in("profiler", inert("requests are followed by their request id and by metrics; osprofiler is not spoken", []Option{
		{Name: "connection_string", Default: "messaging://", Help: "osprofiler notifier URL", Secret: true},
		{Name: "enabled", Type: Boolean, Default: "false", Help: "Switch tracing on"},
		{Name: "es_doc_type", Default: "notification", Help: "Elasticsearch document type"},
		{Name: "es_scroll_size", Type: Integer, Default: "10000", Help: "Elasticsearch batch size"},
		{Name: "es_scroll_time", Default: "2m", Help: "Elasticsearch scroll time"},
		{Name: "filter_error_trace", Type: Boolean, Default: "false", Help: "Keep error traces apart"},
		{Name: "hmac_keys", Default: "SECRET_KEY", Help: "Shared secrets for trace headers", Secret: true},
		{Name: "sentinel_service_name", Default: "mymaster", Help: "Redis sentinel service"},
		{Name: "socket_timeout", Type: Float, Default: "0.1", Help: "Redis socket time-out (s)"},
		{Name: "trace_sqlalchemy", Type: Boolean, Default: "false", Help: "Trace SQL too"},
	})...)
}

// Sections returns the groups whose unlisted names are accepted without effect.
func Sections() []Section {
	return []Section{
		{Pattern: "database", Note: "pooling, retries and time-outs of the database are chosen by this service"},
		{Pattern: "keystone_authtoken", Note: "tokens are cached in the process; memcached and token binding are not used"},
		{Pattern: "keystone_auth", Note: "no back end of this release needs a service user"},
		{Pattern: "oslo_concurrency", Note: "locks are rows with leases, not files"},
		{Pattern: "oslo_messaging_*", Note: "control and agents call each other directly; there is no message broker"},
		{Pattern: "oslo_middleware", Note: "see [api] trusted_proxies and public_endpoint"},
		{Pattern: "oslo_policy", Note: "roles are judged by the rules alone"},
		{Pattern: "oslo_reports", Note: oneBinary},
		{Pattern: "healthcheck", Note: "/healthcheck needs no configuration"},
		{Pattern: "privsep*", Note: oneBinary},
		{Pattern: "*_privileged", Note: oneBinary},
		{Pattern: "os_brick", Note: noVolumes},
		{Pattern: "vif_plug_*", Note: "the agent plumbs the network itself"},
		{Pattern: "service_user", Note: "no back end of this release needs a service user"},
	}
}
