#!/usr/bin/env bash
# A small registry on loopback with one image, so that a real pull happens where the public one cannot be reached:
#   registry.sh start DIR PORT DOCKER_HOST    serves cirros:latest
#   registry.sh stop DIR
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || die "usage: registry.sh start DIR PORT DOCKER_HOST | registry.sh stop DIR"
ACTION=$1 DIR=$2

running() { [ -s "$DIR/registry.pid" ] && kill -0 "$(cat "$DIR/registry.pid")" 2>/dev/null; }
answers() { exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /v2/ HTTP/1.0\r\n\r\n' >&3 && head -n 1 <&3 | grep -q ' 200 '; } 2>/dev/null

case $ACTION in
start)
  PORT=$3 HOST=$4
  need_packages docker-registry
  mkdir -p "$DIR/data"
  if ! running; then
    cat >"$DIR/config.yml" <<YML
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $DIR/data}}
http: {addr: "127.0.0.1:$PORT"}
YML
    setsid nohup docker-registry serve "$DIR/config.yml" >"$DIR/registry.log" 2>&1 </dev/null &
    echo $! >"$DIR/registry.pid"
  fi
  wait_for 20 "the registry" answers "$PORT"
  name=127.0.0.1:$PORT/cirros:latest
  "$ROOT/scripts/image.sh" "$HOST" "$name"
  docker -H "$HOST" push -q "$name" >/dev/null
  docker -H "$HOST" rmi "$name" >/dev/null # so that the pull is a real one
  ;;
stop)
  if running; then kill "$(cat "$DIR/registry.pid")"; fi
  rm -f "$DIR/registry.pid"
  ;;
*) die "usage: registry.sh start|stop ..." ;;
esac
