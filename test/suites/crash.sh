# Services killed in every named window, and other misfortunes, each deployment in namespaces of its own.
need_packages docker.io iproute2 nftables util-linux
make -s build
printf 'scripts/dockerd.sh stop %q\n' "$STATE/docker" >"$STATE/stop-docker"
eval "$(scripts/dockerd.sh start "$STATE/docker")"
scripts/image.sh "$ZUN_TEST_DOCKER" 127.0.0.1:1/crash/cirros:latest
ZUN_TEST_BIN=$BIN gotest crash -count=1 -tags integration -parallel 16 -timeout 20m ./test/crash
