package config

func databaseOptions() []Option {
	rows := in("database",
		Option{Name: "connection", Default: "sqlite:///$state_path/zun.db", Secret: true,
			Help: "sqlite:///path, postgresql://user:password@host/name or mysql://user:password@host/name; " +
				"a driver suffix such as mysql+pymysql is accepted"},
		Option{Name: "max_pool_size", Type: Integer, Default: "32", Min: bound(1), Help: "Connections kept to a PostgreSQL or MariaDB server"},
	)
	return append(rows, in("DEFAULT", Option{Name: "mysql_engine", Default: "InnoDB", Help: "Table engine for migrations",
		Use: Inert, Note: "InnoDB is the only engine with the transactions that this service needs"})...)
}

func identityOptions() []Option {
	rows := ours(in("identity",
		Option{Name: "driver", Default: "static", Choices: []string{"static", "keystone"},
			Help: "Who knows users and tokens: this service itself (static); with keystone it does not start in this release"},
		Option{Name: "token_expiration", Type: Seconds, Default: "3600", Min: bound(1), Help: "Life of a token of the built-in identity"},
		Option{Name: "region_name", Default: "RegionOne", Help: "Region in the built-in catalog"},
		Option{Name: "token_key_file", Default: "$state_path/token.key", Help: "Key that signs built-in tokens; replicas share it"},
		Option{Name: "revocation_file", Default: "$state_path/revoked-tokens", Help: "Revoked built-in tokens; replicas share it"},
	))
	rows = append(rows, ours(in("secrets",
		Option{Name: "key_file", Default: "$state_path/seal.key", Help: "Keys that seal secrets in the database, the first one for new secrets; replicas share it"},
	))...)
	return append(rows, in("keystone_authtoken", awaited("[identity] driver = keystone, which is not in this release", []Option{
		{Name: "www_authenticate_uri", Type: URI, Help: "Keystone's URL as clients see it, told on a 401"},
		{Name: "auth_url", Type: URI, Help: "Keystone's URL as this service sees it"},
		{Name: "username", Default: "zun", Help: "User that validates tokens"},
		{Name: "password", Secret: true, Help: "Its password"},
		{Name: "project_name", Default: "service", Help: "Its project"},
		{Name: "user_domain_name", Default: "Default", Help: "Domain of the user"},
		{Name: "project_domain_name", Default: "Default", Help: "Domain of the project"},
		{Name: "region_name", Help: "Region in the catalog"},
		{Name: "cafile", Help: "CA bundle of Keystone"},
		{Name: "insecure", Type: Boolean, Default: "false", Help: "Skip the check of Keystone's certificate"},
	})...)...)
}

func policyOptions() []Option {
	rows := in("oslo_policy",
		Option{Name: "policy_file", Default: "policy.yaml", Help: "File with policy overrides, beside zun.conf if relative; it may be absent"},
		Option{Name: "policy_dirs", Type: Multi, Default: "policy.d", Help: "Directories with further policy files, read in the order of their names"},
	)
	return append(rows, in("oslo_policy", inert("roles are judged by the rules alone; no outside policy service is asked", []Option{
		{Name: "enforce_scope", Type: Boolean, Default: "true", Help: "Enforce token scopes"},
		{Name: "enforce_new_defaults", Type: Boolean, Default: "true", Help: "Drop deprecated defaults"},
		{Name: "policy_default_rule", Default: "default", Help: "Rule used when one is missing"},
		{Name: "remote_content_type", Default: "application/x-www-form-urlencoded", Help: "Form of outside checks"},
		{Name: "remote_ssl_verify_server_crt", Type: Boolean, Default: "false", Help: "Verify the outside service"},
		{Name: "remote_ssl_ca_crt_file", Help: "CA of the outside service"},
		{Name: "remote_ssl_client_crt_file", Help: "Client certificate"},
		{Name: "remote_ssl_client_key_file", Help: "Client key"},
		{Name: "remote_timeout", Type: Float, Default: "60", Help: "Seconds for an outside check"},
	})...)...)
}

func schedulingOptions() []Option {
	rows := in("scheduler",
		Option{Name: "driver", Default: "filter_scheduler", Choices: []string{"filter_scheduler", "chance_scheduler", "fake_scheduler"},
			Help: "Scheduler implementation", Use: Mapped, Note: "chance_scheduler draws among the hosts that pass the filters; the other two weigh them"},
		Option{Name: "enabled_filters", Type: List, Default: "AvailabilityZoneFilter,ComputeFilter,RuntimeFilter,LabelFilter,AffinityFilter,CpuSetFilter,PciPassthroughFilter",
			Help: "Filters applied, in order; what a host has room for is asked after them in any case"},
		Option{Name: "available_filters", Type: Multi, Default: "zun.scheduler.filters.all_filters", Help: "Filter classes that may be used",
			Use: Inert, Note: "the filters are part of the program"},
		Option{Name: "max_placement_results", Type: Integer, Default: "1000", Min: bound(1), Help: "Maximum of allocation candidates", Use: Inert, Note: noPlacement},
	)
	rows = append(rows, ours(in("scheduler",
		Option{Name: "cpu_weight_multiplier", Type: Float, Default: "1.0", Help: "How much free CPU counts in the choice of a host; negative packs instead of spreading"},
		Option{Name: "ram_weight_multiplier", Type: Float, Default: "1.0", Help: "How much free memory counts; negative packs"},
		Option{Name: "soft_affinity_weight_multiplier", Type: Float, Default: "10.0", Min: bound(0), Help: "How much neighbours count that a soft hint wishes for"},
		Option{Name: "soft_anti_affinity_weight_multiplier", Type: Float, Default: "10.0", Min: bound(0), Help: "How much neighbours count against a host that a soft hint wishes away"},
	))...)
	rows = append(rows, in("quota",
		Option{Name: "driver", Default: "zun.common.quota.DbQuotaDriver", Help: "DbQuotaDriver or NoopQuotaDriver, with or without the module's path",
			Choices: []string{"zun.common.quota.DbQuotaDriver", "zun.common.quota.NoopQuotaDriver", "DbQuotaDriver", "NoopQuotaDriver"}},
		Option{Name: "containers", Type: Integer, Default: "40", Min: bound(-1), Help: "Default limit, -1 is unlimited"},
		Option{Name: "cpu", Type: Integer, Default: "20", Min: bound(-1), Help: "Default limit of vCPUs"},
		Option{Name: "memory", Type: Integer, Default: "51200", Min: bound(-1), Help: "Default limit (MB)"},
		Option{Name: "disk", Type: Integer, Default: "100", Min: bound(-1), Help: "Default limit (GB)"},
		Option{Name: "images", Type: Integer, Default: "40", Min: bound(-1), Help: "Images that a project may have committed, -1 is unlimited", Ours: true},
	)...)
	return append(rows, ours(in("deadlines",
		Option{Name: "silence", Type: Seconds, Default: "300", Min: bound(1), Help: "Seconds that an action may go on without progress"},
		Option{Name: "total", Type: Seconds, Default: "3600", Min: bound(1), Help: "Seconds that an action may take in all"},
	))...)
}
