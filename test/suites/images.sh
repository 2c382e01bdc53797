# A service on a real engine with real registries: who may use a cached image, which are refused, which go; and a drained
# fleet on the fake engine.
need_packages docker.io docker-registry busybox-static iproute2 nftables
make -s build
printf 'scripts/dockerd.sh stop %q\n' "$STATE/docker" >"$STATE/stop-docker"
eval "$(scripts/dockerd.sh start "$STATE/docker")"
ZUN_TEST_BIN=$BIN gotest images -count=1 -tags integration -timeout 10m ./test/images
