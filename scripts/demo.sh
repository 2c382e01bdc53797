#!/usr/bin/env bash
# First README command: from a bare machine to a container that ran, was listed, read and deleted.
# Leaves the service up. ZUN_DEMO_DIR (default /var/lib/zun-demo) holds everything it makes; scripts/stop.sh ends it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/demo-lib.sh"

BEGUN=$SECONDS
need_root
need_go
stop_former_service
port_free 9517 || die "port 9517 is in use by another program: stop it first (ss -ltnp 'sport = :9517' names it)"
need_packages docker.io docker-registry busybox-static iproute2 iptables nftables ca-certificates procps
say "building"
make -s -C "$ROOT" build
mkdir -p "$DEMO"
chmod 0750 "$DEMO"
start_engine
have_image
write_config
start_service

export OS_CLIENT_CONFIG_FILE=$DEMO/clouds.yaml OS_CLOUD=zun
wait_for 30 "the host" host_ready
wait_for 30 "the stock of ready sandboxes" stocked
before=$(leftovers)
show() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

show "$BIN/zun" run --name test cirros ping -c 4 127.0.0.1
show "$BIN/zun" list
say ""
say "waiting for the container to end"
wait_for 60 "the end of the container" status_is test Stopped
logs=$(show "$BIN/zun" logs test)
printf '%s\n' "$logs"
show "$BIN/zun" delete test
wait_for 30 "the end of the delete" gone test
show "$BIN/zun" list

replies=$(grep -c 'bytes from 127.0.0.1' <<<"$logs" || true)
[ "$replies" = 4 ] || die "the log holds $replies replies, not 4"
[ -z "$("$BIN/zun" list -f value -c uuid)" ] || die "the list is not empty"
nothing_left() { [ "$(leftovers)" = "$before" ]; }
wait_for 15 "a host without the container's links, namespaces and engine objects" nothing_left

cat <<TXT

It works: 4 replies, an empty list, nothing left behind. $((SECONDS - BEGUN)) seconds.

The service is up on http://127.0.0.1:9517 with an administrator and a project of its own. To go on:

    . $DEMO/openrc
    $BIN/zun run --name web cirros sleep 600
    $BIN/zun exec web hostname
    $BIN/zun --help

Any OpenStack client works too. The log is $DEMO/zun-allinone.log. To stop everything:  make stop
TXT
