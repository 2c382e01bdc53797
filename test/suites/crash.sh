# Services killed in every named window, and other misfortunes, each deployment in namespaces of its own.
# The matrix adds two replicas of control on PostgreSQL, and every window on Docker.
need_packages docker.io iproute2 nftables util-linux
make -s build
printf 'scripts/dockerd.sh stop %q\n' "$STATE/docker" >"$STATE/stop-docker"
eval "$(scripts/dockerd.sh start "$STATE/docker")"
scripts/image.sh "$ZUN_TEST_DOCKER" 127.0.0.1:1/crash/cirros:latest
leave_out=OfReplicas
if [ -n "$MATRIX" ]; then
  need_packages mariadb-server postgresql
  printf 'test/servers/databases.sh stop %q\n' "$STATE/databases" >"$STATE/stop-databases"
  eval "$(test/servers/databases.sh start "$STATE/databases")"
  leave_out='^$'
fi
ZUN_TEST_BIN=$BIN gotest crash -count=1 -tags integration -parallel 16 -timeout 20m -skip "$leave_out" ./test/crash
