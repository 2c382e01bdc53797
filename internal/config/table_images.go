package config

// imageOptions are the options on images that hosts hold.
func imageOptions() []Option {
	rows := in("image_cache",
		Option{Name: "remove_unused_images", Type: Boolean, Default: "true", Help: "Remove images that this service pulled and nobody uses any more"},
		Option{Name: "manager_interval", Type: Seconds, Default: "300", Min: bound(1), Help: "Seconds between two looks at a host's images"},
		Option{Name: "remove_unused_minimum_age_seconds", Type: Seconds, Default: "604800", Help: "Seconds since its last use after which an image goes; 0 lets age remove none"},
		Option{Name: "disk_high_watermark", Type: Float, Default: "85", Min: bound(0), Max: bound(100), Help: "Per cent of the engine's disk above which unused images go, the longest unused first; 100 lets pressure remove none"},
		Option{Name: "disk_low_watermark", Type: Float, Default: "80", Min: bound(0), Max: bound(100), Help: "Per cent down to which they go then"},
		Option{Name: "grace_seconds", Type: Seconds, Default: "120", Help: "Seconds since its last use in which no image goes, whatever the pressure"},
		Option{Name: "public_seconds", Type: Seconds, Default: "86400", Help: "Seconds that an image counts as public once its registry gave it to anybody; after them the registry is asked again for other projects"},
	)
	return ours(append(rows, in("image_policy",
		Option{Name: "policy_file", Default: "$state_path/image-policy.yaml", Help: "What images must be: from which registries, pinned by digest, signed; read again when it changes, absent it demands nothing"},
		Option{Name: "insecure_registries", Type: List, Default: "127.0.0.0/8,::1/128", Help: "Registries (host, host:port or network) whose signatures are read without TLS"},
		Option{Name: "certificates_dir", Default: "/etc/docker/certs.d", Help: "CA certificates of registries, HOST:PORT/*.crt, as Docker keeps them"},
	)...))
}
