# What demo.sh and stop.sh share. Sourced after lib.sh.
DEMO=${ZUN_DEMO_DIR:-/var/lib/zun-demo}
REGISTRY_PORT=${ZUN_DEMO_REGISTRY_PORT:-5000}

# port_free: nobody answers there. It is asked before any package is installed, so it needs none.
port_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# running PIDFILE: whether the process named there lives.
running() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

# end PIDFILE SECONDS: ends that process and no other.
end() {
  running "$1" || { rm -f "$1"; return 0; }
  local pid limit
  pid=$(cat "$1") limit=$((SECONDS + $2))
  kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if [ $SECONDS -ge $limit ]; then kill -9 "$pid" 2>/dev/null || true; fi
    read -r -t 0.1 <> <(:) || true
  done
  rm -f "$1"
}

stop_former_service() { end "$DEMO/zun-allinone.pid" 30; }

# start_engine: uses the engine that runs on this machine, else starts one of its own under $DEMO.
start_engine() {
  if [ -S /var/run/docker.sock ] && docker -H unix:///var/run/docker.sock version >/dev/null 2>&1; then
    DOCKER=unix:///var/run/docker.sock
    say "using the container engine of this machine"
  else
    DOCKER=unix://$DEMO/docker/docker.sock
    say "starting a container engine"
    "$ROOT/scripts/dockerd.sh" start "$DEMO/docker" >/dev/null
  fi
  docker -H "$DOCKER" version >/dev/null 2>&1 || die "the container engine does not answer on $DOCKER"
}

# have_image: a small image called cirros can be pulled, from the public registry or from one made here.
have_image() {
  DEFAULT_REGISTRY=""
  if timeout 8 docker -H "$DOCKER" manifest inspect cirros >/dev/null 2>&1; then
    say "the public registry has the image"
    return
  fi
  DEFAULT_REGISTRY=127.0.0.1:$REGISTRY_PORT
  say "the public registry is not reachable; serving a small image from $DEFAULT_REGISTRY"
  "$ROOT/scripts/registry.sh" start "$DEMO/registry" "$REGISTRY_PORT" "$DOCKER" >/dev/null
}

write_config() {
  cat >"$DEMO/zun.conf" <<CONF
[DEFAULT]
state_path = $DEMO
log_file = $DEMO/zun-allinone.log

[api]
host_ip = 127.0.0.1
port = 9517
extensions = true

[docker]
api_url = $DOCKER
default_registry = $DEFAULT_REGISTRY
CONF
}

start_service() {
  say "starting zun-allinone"
  : >"$DEMO/zun-allinone.out"
  setsid nohup "$BIN/zun-allinone" --config-file "$DEMO/zun.conf" >"$DEMO/zun-allinone.out" 2>&1 </dev/null &
  echo $! >"$DEMO/zun-allinone.pid"
  local limit=$((SECONDS + 30))
  until healthy; do
    running "$DEMO/zun-allinone.pid" || die "zun-allinone ended: $(tail -n 1 "$DEMO/zun-allinone.out")"
    [ $SECONDS -lt $limit ] || die "zun-allinone is not healthy; see $DEMO/zun-allinone.log"
    read -r -t 0.1 <> <(:) || true
  done
}

healthy() { exec 3<>/dev/tcp/127.0.0.1/9517 && printf 'GET /healthcheck HTTP/1.0\r\n\r\n' >&3 && head -n 1 <&3 | grep -q ' 200 '; } 2>/dev/null

status_is() { [ "$("$BIN/zun" show "$1" -f value -c status 2>/dev/null)" = "$2" ]; }
gone() { ! "$BIN/zun" show "$1" >/dev/null 2>&1 && "$BIN/zun" list >/dev/null; }

# leftovers: what a container of this deployment could leave behind, one a line. Ready sandboxes belong to no container.
leftovers() {
  local deployment
  docker -H "$DOCKER" ps -a --filter label=zun.deployment --format '{{.Names}}' | grep -v '^zun-ready-' | sort || true
  deployment=$(docker -H "$DOCKER" ps -a --filter label=zun.deployment --format '{{.Label "zun.deployment"}}' | head -n 1)
  [ -z "$deployment" ] || ip -o link show type veth | grep -F "alias zun/$deployment/" || true
}

# stocked: the service has put ready sandboxes in stock, so that counts hold still.
stocked() { [ "$(docker -H "$DOCKER" ps --filter name=zun-ready- -q | wc -l)" -ge 2 ]; }

# host_ready: the host has told what it offers.
host_ready() { "$BIN/zun" host-list -f value -c cpus | grep -qE '^[1-9]'; }
