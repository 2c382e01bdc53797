package config

func loggingOptions() []Option {
	rows := in("DEFAULT",
		Option{Name: "debug", Type: Boolean, Default: "false", Help: "Log debug lines", Use: Mapped, Note: "true means [log] level = debug"},
		Option{Name: "use_json", Type: Boolean, Default: "false", Help: "Log in JSON", Use: Mapped, Note: "true means [log] format = json"},
		Option{Name: "log_dir", Help: "Directory of a relative log_file"},
		Option{Name: "log_file", Help: "File to append the log to; empty is standard error"},
	)
	const structured = "lines are structured: their fields, time stamps and levels are fixed"
	const collected = "the log goes to standard error or a file; the system's collector forwards and rotates it"
	rows = append(rows, in("DEFAULT", inert(structured, []Option{
		{Name: "log_config_append", Help: "Python logging configuration file"},
		{Name: "log_date_format", Default: "%Y-%m-%d %H:%M:%S", Help: "Format of time stamps"},
		{Name: "logging_context_format_string", Help: "Format of lines within a request"},
		{Name: "logging_default_format_string", Help: "Format of lines outside requests"},
		{Name: "logging_debug_format_suffix", Help: "Suffix of debug lines"},
		{Name: "logging_exception_prefix", Help: "Prefix of traceback lines"},
		{Name: "logging_user_identity_format", Help: "Format of the user part"},
		{Name: "default_log_levels", Type: List, Help: "Levels by Python logger"},
		{Name: "instance_format", Help: "Format of an instance"},
		{Name: "instance_uuid_format", Help: "Format of an instance's uuid"},
		{Name: "publish_errors", Type: Boolean, Default: "false", Help: "Send errors as notifications"},
		{Name: "fatal_deprecations", Type: Boolean, Default: "false", Help: "Make deprecations fatal"},
		{Name: "rate_limit_interval", Type: Integer, Default: "0", Help: "Interval of log rate limiting"},
		{Name: "rate_limit_burst", Type: Integer, Default: "0", Help: "Burst of log rate limiting"},
		{Name: "rate_limit_except_level", Default: "CRITICAL", Help: "Level free of rate limiting"},
	})...)...)
	rows = append(rows, in("DEFAULT", inert(collected, []Option{
		{Name: "use_syslog", Type: Boolean, Default: "false", Help: "Log to syslog"},
		{Name: "syslog_log_facility", Default: "LOG_USER", Help: "Facility in syslog"},
		{Name: "use_journal", Type: Boolean, Default: "false", Help: "Log to the journal"},
		{Name: "use_stderr", Type: Boolean, Default: "false", Help: "Log to standard error"},
		{Name: "use_eventlog", Type: Boolean, Default: "false", Help: "Log to the Windows event log"},
		{Name: "watch_log_file", Type: Boolean, Default: "false", Help: "Reopen a moved log file"},
		{Name: "log_rotate_interval", Type: Integer, Default: "1", Help: "Interval of rotation"},
		{Name: "log_rotate_interval_type", Default: "days", Help: "Unit of the interval"},
		{Name: "log_rotation_type", Default: "none", Help: "Kind of rotation"},
		{Name: "max_logfile_count", Type: Integer, Default: "30", Help: "Number of kept files"},
		{Name: "max_logfile_size_mb", Type: Integer, Default: "200", Help: "Size that starts a rotation"},
	})...)...)
	return append(rows, ours(in("log",
		Option{Name: "format", Default: "text", Choices: []string{"text", "json"}, Help: "Form of log lines"},
		Option{Name: "level", Default: "info", Choices: []string{"debug", "info", "warning", "error"}, Help: "Least level that is logged"},
	))...)
}

func messagingOptions() []Option {
	rows := in("DEFAULT",
		Option{Name: "rpc_response_timeout", Type: Seconds, Default: "60", Min: bound(1), Help: "Seconds that a synchronous verb waits for its host"},
		Option{Name: "graceful_shutdown_timeout", Type: Seconds, Default: "60", Help: "Seconds that running requests are given at a stop"},
	)
	const direct = "control and agents call each other directly; there is no message broker"
	rows = append(rows, in("DEFAULT", inert(direct, []Option{
		{Name: "transport_url", Default: "rabbit://", Help: "URL of the message broker", Secret: true},
		{Name: "control_exchange", Default: "zun", Help: "Exchange of the message broker"},
		{Name: "executor_thread_pool_size", Type: Integer, Default: "64", Help: "Threads of the RPC executor"},
		{Name: "rpc_conn_pool_size", Type: Integer, Default: "30", Help: "Broker connections kept"},
		{Name: "rpc_ping_enabled", Type: Boolean, Default: "false", Help: "Answer RPC pings"},
		{Name: "conn_pool_min_size", Type: Integer, Default: "2", Help: "Fewest pooled connections"},
		{Name: "conn_pool_ttl", Type: Integer, Default: "1200", Help: "Seconds that a pooled connection lives"},
	})...)...)
	return append(rows, in("DEFAULT", inert(oneBinary, []Option{
		{Name: "backdoor_port", Help: "Port of a debugging shell"},
		{Name: "backdoor_socket", Help: "Socket of a debugging shell"},
		{Name: "log_options", Type: Boolean, Default: "true", Help: "Log all options at start"},
		{Name: "run_external_periodic_tasks", Type: Boolean, Default: "true", Help: "Run external periodic tasks"},
		{Name: "client_socket_timeout", Type: Integer, Default: "900", Help: "Seconds a client may be idle"},
		{Name: "wsgi_default_pool_size", Type: Integer, Default: "100", Help: "Green threads of the WSGI server"},
		{Name: "wsgi_keep_alive", Type: Boolean, Default: "true", Help: "Keep client connections"},
		{Name: "wsgi_log_format", Help: "Format of the WSGI access log"},
		{Name: "max_header_line", Type: Integer, Default: "16384", Help: "Longest header line"},
		{Name: "tcp_keepidle", Type: Integer, Default: "600", Help: "Idle seconds before TCP keep-alive"},
	})...)...)
}

func apiOptions() []Option {
	rows := in("api",
		Option{Name: "host_ip", Type: Address, Default: "$my_ip", Help: "Listen address"},
		Option{Name: "port", Type: Port, Default: "9517", Help: "Listen port"},
		Option{Name: "max_limit", Type: Integer, Default: "1000", Min: bound(1), Help: "Hard cap of limit in lists"},
		Option{Name: "enable_ssl_api", Type: Boolean, Default: "false", Help: "Serve HTTPS directly (uses [ssl])"},
		Option{Name: "workers", Type: Integer, Help: "API processes", Use: Inert, Note: "one process uses every core; start more replicas instead"},
		Option{Name: "api_paste_config", Default: "api-paste.ini", Help: "Paste file name", Use: Inert, Note: noPython},
		Option{Name: "enable_image_validation", Type: Boolean, Default: "false", Help: "Search the image on the chosen host",
			Use: Inert, Note: "a wrong image is reported by the pull, as the original does by default"},
	)
	rows = append(rows, ours(in("api",
		Option{Name: "link_address", Type: HostPort, Default: ":9518", Help: "Where agents reach control (gRPC over mutual TLS), host:port"},
		Option{Name: "public_endpoint", Type: URI, Help: "URL under which clients reach the API, with its prefix if any; base of links and of the built-in catalog"},
		Option{Name: "trusted_proxies", Type: Prefixes, Help: "Networks whose X-Forwarded-* headers are believed"},
		Option{Name: "extensions", Type: Boolean, Default: "false", Help: "Serve this service's own routes and query arguments beside the original's"},
		Option{Name: "log_follow_timeout", Type: Seconds, Default: "14400", Min: bound(1), Help: "Seconds after which a followed log is ended; clients follow on by themselves"},
		Option{Name: "log_followers_per_container", Type: Integer, Default: "32", Min: bound(0), Help: "Followed logs of one container open at once at one zun-api; 0 is unlimited"},
		Option{Name: "log_followers_per_project", Type: Integer, Default: "256", Min: bound(0), Help: "Followed logs of one project open at once at one zun-api; 0 is unlimited"},
	))...)
	rows = append(rows, in("ssl",
		Option{Name: "cert_file", Help: "Server certificate"},
		Option{Name: "key_file", Help: "Server key"},
		Option{Name: "ca_file", Help: "CA to verify clients"},
		Option{Name: "ciphers", Help: "Cipher list", Use: Inert, Note: "TLS 1.2 and 1.3 with the Go library's cipher suites"},
		Option{Name: "version", Help: "Protocol version", Use: Inert, Note: "TLS 1.2 and 1.3"},
	)...)
	return append(rows, in("cors",
		Option{Name: "allowed_origin", Type: List, Help: "Origins that browsers may call from; none means no cross-origin calls"},
		Option{Name: "allow_credentials", Type: Boolean, Default: "true", Help: "Let browsers send credentials"},
		Option{Name: "allow_methods", Type: List, Default: "GET,PUT,POST,DELETE,PATCH", Help: "Methods that browsers may use"},
		Option{Name: "allow_headers", Type: List, Default: "X-Auth-Token,X-Identity-Status,X-Roles,X-Service-Catalog,X-User-Id,X-Project-Id," +
			"X-OpenStack-Request-ID,X-Server-Management-Url", Help: "Headers that browsers may send"},
		Option{Name: "expose_headers", Type: List, Default: "X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID," +
			"X-Server-Management-Url", Help: "Headers that browsers may read"},
		Option{Name: "max_age", Type: Seconds, Default: "3600", Help: "Seconds that browsers may remember the answer"},
	)...)
}
