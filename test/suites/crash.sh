# Services killed in every named window, and other misfortunes, each deployment in namespaces of its own.
# The matrix adds two replicas of control, on PostgreSQL and on MariaDB, and every window on Docker.
need_packages docker.io docker-registry e2fsprogs iproute2 nftables util-linux
make -s build
printf 'scripts/dockerd.sh stop %q\n' "$STATE/docker" >"$STATE/stop-docker"
eval "$(scripts/dockerd.sh start "$STATE/docker")"
port=5100
while (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
printf 'scripts/registry.sh stop %q\n' "$STATE/registry" >"$STATE/stop-registry"
scripts/registry.sh start "$STATE/registry" "$port" "$ZUN_TEST_DOCKER"
leave_out=OfReplicas
if [ -n "$MATRIX" ]; then
  need_packages mariadb-server postgresql
  printf 'test/servers/databases.sh stop %q\n' "$STATE/databases" >"$STATE/stop-databases"
  eval "$(test/servers/databases.sh start "$STATE/databases")"
  leave_out='^$'
fi
ZUN_TEST_BIN=$BIN ZUN_TEST_REGISTRY=127.0.0.1:$port \
  gotest crash -count=1 -tags integration -parallel 16 -timeout 20m -skip "$leave_out" ./test/crash
