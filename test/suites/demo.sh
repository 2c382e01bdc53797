# The newcomer's path: make demo twice, the original's own client against what it left up, its refusals, and make stop.
need_packages python3-zunclient iproute2 nftables
export ZUN_DEMO_DIR=$STATE/demo
cat >"$STATE/stop-demo" <<S
export ZUN_DEMO_DIR=$STATE/demo
scripts/stop.sh >/dev/null 2>&1
S
ran=0 bad=0
check() { ran=$((ran + 1)); local what=$1; shift; if "$@" >"$STATE/demo.out" 2>&1; then say "ok $what"; else bad=$((bad + 1)); say "FAIL $what"; tail -n 40 "$STATE/demo.out"; fi; }

# told SENTENCE COMMAND...: the command fails and says why in one line that holds SENTENCE.
told() { local want=$1 out; shift; if out=$("$@" 2>&1 >/dev/null); then return 1; fi; printf '%s\n' "$out"; [ "$(wc -l <<<"$out")" = 1 ] && grep -q "$want" <<<"$out"; }

originals_client() {
  # shellcheck source=/dev/null
  . "$ZUN_DEMO_DIR/openrc"
  local z=/usr/bin/zun
  $z run --name original cirros ping -c 4 127.0.0.1
  wait_for 60 "the end of the container" ended "$z"
  $z list | grep original
  [ "$($z logs original | grep -c 'bytes from 127.0.0.1')" = 4 ]
  $z delete original
  wait_for 30 "the end of the delete" missing "$z"
}
ended() { "$1" show original | grep -E '\| status +\| Stopped'; }
missing() { ! "$1" list | grep -q original; }

port_taken() {
  "$BIN/zun-allinone" --set api.host_ip=127.0.0.1 --set DEFAULT.state_path="$STATE/other" --set engine.driver=fake >"$STATE/other.log" 2>&1 &
  local pid=$! rc=0
  wait_for 10 "the other program" listening
  told "port 9517 is in use" scripts/demo.sh || rc=1
  kill "$pid"
  wait "$pid" || { tail -n 5 "$STATE/other.log"; rc=1; }
  return $rc
}
listening() { ss -Hltn 'sport = :9517' | grep -q .; }
not_root() { told "must run as root" setpriv --reuid=65534 --clear-groups scripts/demo.sh; }

ours() { { ip -br link show type bridge | awk '{print $1}'; ip -br link show type veth | awk '{print $1}'; nft list tables; } | grep -E 'zun|^zb|^tap' | sort || true; }
nothing_left() {
  local left
  left=$(comm -13 <(printf '%s\n' "$stood") <(ours))
  [ -z "$left" ] || { printf '%s\n' "$left"; return 1; }
  [ ! -e "$ZUN_DEMO_DIR" ]
}

stood=$(ours)
check "make demo" make -s demo
check "a second make demo" make -s demo
check "the original's client, unchanged" originals_client
check "make stop" make -s stop
check "nothing is left" nothing_left
check "a port in use is told" port_taken
check "no root is told" not_root
figure demo $ran $bad
[ $bad -eq 0 ]
