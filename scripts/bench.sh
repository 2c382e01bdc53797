#!/usr/bin/env bash
# What this service costs and bears, measured side by side in one run, printed as Markdown tables:
#   bench.sh [PART...]     parts: overhead console load place adopt; none means all
# ZUN_BENCH_ROUNDS (200) bounds the rounds of overhead and console, ZUN_BENCH_ROWS (10,1000,10000,100000) are the sizes of load,
# ZUN_BENCH_SPAN (3s) is how long each request of load is repeated.
# It starts an engine and databases of its own and takes everything away again.
. "$(dirname "$0")/lib.sh"
PARTS=("$@")
[ ${#PARTS[@]} -gt 0 ] || PARTS=(overhead console load place adopt)
need_root
need_go
DIR=$(mktemp -d /tmp/zun-bench.XXXXXX)
chmod 0755 "$DIR" # the databases run as users of their own
cleanup() {
  [ ! -d "$DIR/engine" ] || "$ROOT/scripts/dockerd.sh" stop "$DIR/engine"
  [ ! -d "$DIR/databases" ] || "$ROOT/test/servers/databases.sh" stop "$DIR/databases"
  rm -rf "$DIR"
}
trap cleanup EXIT

make -s -C "$ROOT" build >&2
mkdir "$DIR/bench"
go build -C "$ROOT" -o "$DIR/bench/" ./bench/... >&2

databases() {
  [ -z "${ZUN_TEST_POSTGRES:-}" ] || return 0
  need_packages postgresql mariadb-server
  eval "$("$ROOT/test/servers/databases.sh" start "$DIR/databases")"
}

overhead() {
  need_packages docker.io busybox-static iproute2 iptables nftables ca-certificates
  eval "$("$ROOT/scripts/dockerd.sh" start "$DIR/engine")"
  "$ROOT/scripts/image.sh" "$ZUN_TEST_DOCKER" bench/cirros:latest >&2
  "$DIR/bench/overhead" -bin "$BIN" -docker "$ZUN_TEST_DOCKER" -image bench/cirros:latest -n "${ZUN_BENCH_ROUNDS:-200}"
}
console() {
  need_packages docker.io busybox-static iproute2 iptables nftables ca-certificates
  eval "$("$ROOT/scripts/dockerd.sh" start "$DIR/engine")"
  "$ROOT/scripts/image.sh" "$ZUN_TEST_DOCKER" bench/cirros:latest >&2
  "$DIR/bench/console" -bin "$BIN" -docker "$ZUN_TEST_DOCKER" -image bench/cirros:latest -n "${ZUN_BENCH_ROUNDS:-200}"
}
load() {
  databases
  "$DIR/bench/load" -bin "$BIN" -postgres "$ZUN_TEST_POSTGRES" -rows "${ZUN_BENCH_ROWS:-10,1000,10000,100000}" -span "${ZUN_BENCH_SPAN:-3s}"
}
place() {
  databases
  "$DIR/bench/place" -postgres "$ZUN_TEST_POSTGRES"
}
# The namespaces of a thousand containers are named in a mount namespace of its own.
adopt() {
  unshare --mount --propagation private sh -c 'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec "$@"' adopt \
    "$DIR/bench/adopt" -bin "$BIN"
}

say "Measured on $(date -u +%F): $(nproc) processors, $(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo), Linux $(uname -r), $(go env GOVERSION); load before: $(cut -d' ' -f1-3 /proc/loadavg)."
for part in "${PARTS[@]}"; do
  case $part in
  overhead | console | load | place | adopt) "$part" ;;
  *) die "there is no part called '$part' (there are: overhead console load place adopt)" ;;
  esac
done
