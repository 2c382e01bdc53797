#!/usr/bin/env bash
# Ends what demo.sh started, by pid, and removes what it left on this machine.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/demo-lib.sh"
need_root
[ -d "$DEMO" ] || { say "nothing to stop"; exit 0; }
end "$DEMO/zun-allinone.pid" 30
if [ -x "$BIN/zun-allinone" ] && [ -f "$DEMO/zun.conf" ]; then
  "$BIN/zun-allinone" teardown --config-file "$DEMO/zun.conf" || say "some of it could not be removed; see above"
fi
"$ROOT/scripts/registry.sh" stop "$DEMO/registry"
"$ROOT/scripts/dockerd.sh" stop "$DEMO/docker"
[ "${1:-}" = --keep ] || rm -rf "$DEMO"
say "stopped"
