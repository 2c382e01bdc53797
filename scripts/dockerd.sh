#!/usr/bin/env bash
# A Docker engine of its own under DIR, without systemd and without touching another one:
#   dockerd.sh start DIR [DOCKERD]    prints `export ZUN_TEST_DOCKER=unix://...`; starting a started one is no error
#   dockerd.sh stop DIR               ends what start began, by pid, and frees its mounts
# It makes no bridge and no firewall rule: containers join namespaces that the agent plugs.
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || die "usage: dockerd.sh start|stop DIR [DOCKERD]"
ACTION=$1 DIR=$2 DOCKERD=${3:-dockerd}

running() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
answers() { [ -S "$DIR/docker.sock" ] && docker -H "unix://$DIR/docker.sock" version >/dev/null 2>&1; }

start() {
  need_root
  need_packages docker.io ca-certificates procps # `ps` lists the processes of a container
  install -d -m 0711 "$DIR"
  DIR=$(cd "$DIR" && pwd)
  if ! running "$DIR/dockerd.pid"; then
    mount_cgroups
    rm -f "$DIR/dockerd.pid"
    setsid nohup "$DOCKERD" --host "unix://$DIR/docker.sock" --data-root "$DIR/data" --exec-root "$DIR/exec" \
      --pidfile "$DIR/dockerd.pid" --bridge none --iptables=false --ip6tables=false \
      --insecure-registry 127.0.0.0/8 >"$DIR/dockerd.log" 2>&1 </dev/null &
    echo $! >"$DIR/launched.pid"
  fi
  local limit=$((SECONDS + 60))
  until answers; do
    running "$DIR/launched.pid" || { tail -n 5 "$DIR/dockerd.log" >&2; die "the container engine ended"; }
    [ $SECONDS -lt $limit ] || die "the container engine does not answer; see $DIR/dockerd.log"
    read -r -t 0.1 <> <(:) || true
  done
  echo "export ZUN_TEST_DOCKER=unix://$DIR/docker.sock"
}

# mount_cgroups: the engine needs the controllers; on a machine that an init system set up they are there. It gives no
# figures of a container unless every hierarchy that processes are in is mounted, also those that only have a name.
mount_cgroups() {
  mountpoint -q /sys/fs/cgroup || mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] || return 0 # version 2 is one mount
  local c name
  while read -r c; do
    mkdir -p "/sys/fs/cgroup/$c"
    mountpoint -q "/sys/fs/cgroup/$c" || mount -t cgroup -o "$c" cgroup "/sys/fs/cgroup/$c" 2>/dev/null || rmdir "/sys/fs/cgroup/$c"
  done < <(awk '!/^#/ && $4 == 1 {print $1}' /proc/cgroups)
  while read -r name; do
    mkdir -p "/sys/fs/cgroup/$name"
    mountpoint -q "/sys/fs/cgroup/$name" || mount -t cgroup -o "none,name=$name" cgroup "/sys/fs/cgroup/$name" || rmdir "/sys/fs/cgroup/$name"
  done < <(sed -n 's/^[0-9]*:name=\([^:]*\):.*/\1/p' /proc/self/cgroup)
}

stop() {
  local pid="" limit=$((SECONDS + 30))
  [ -d "$DIR" ] || return 0
  DIR=$(cd "$DIR" && pwd)
  if running "$DIR/dockerd.pid"; then pid=$(cat "$DIR/dockerd.pid"); fi
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $limit ]; do read -r -t 0.1 <> <(:) || true; done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$DIR/dockerd.pid" "$DIR/launched.pid"
  # What the engine mounted below DIR would keep it from being removed.
  awk -v d="$DIR/" 'index($5, d) == 1 {print $5}' /proc/self/mountinfo | sort -r | xargs -r -n1 umount -l 2>/dev/null || true
}

case $ACTION in
start) start ;;
stop) stop ;;
*) die "usage: dockerd.sh start|stop DIR [DOCKERD]" ;;
esac
