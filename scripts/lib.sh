# Shared by the scripts: messages, packages, paths. Sourced, never run.
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
export PATH=/usr/local/go/bin:/usr/local/sbin:/usr/sbin:/sbin:$PATH

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${ZUN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/go-zun}
# shellcheck disable=SC2034 # those that source this use it
BIN=$ROOT/bin

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "this must run as root: it drives a container engine and network namespaces"; }

need_go() {
  command -v go >/dev/null 2>&1 || die "Go 1.26 is needed and no 'go' is on the PATH"
}

# need_packages NAME...: installs the Debian packages that are missing, and starts none of their services.
need_packages() {
  local missing=() p
  for p in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | cut -c1-2)" = ii ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing: ${missing[*]}"
  local policy=""
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    policy=made
  fi
  local log rc=0
  log=$(mktemp)
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || rc=$?
  [ -z "$policy" ] || rm -f /usr/sbin/policy-rc.d
  if [ $rc -ne 0 ]; then tail -n 20 "$log" >&2; rm -f "$log"; die "the packages could not be installed"; fi
  rm -f "$log"
}

# wait_for SECONDS WHAT COMMAND...: polls until COMMAND succeeds.
wait_for() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $limit ] || die "$what did not come up in time"
    read -r -t 0.1 <> <(:) || true
  done
}

# go_tool NAME MODULE@VERSION: builds a development tool once and prints its path.
go_tool() {
  local path="$CACHE/tools/${2##*@}/$1"
  if [ ! -x "$path" ]; then
    mkdir -p "${path%/*}"
    GOBIN="${path%/*}" GOFLAGS="" go install "$2" >&2
  fi
  printf '%s' "$path"
}
