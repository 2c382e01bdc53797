#!/usr/bin/env bash
# A newer container engine than the distribution's, built once from the Go module proxy; prints the path of what to run:
#   newer-dockerd.sh BUILD_DIR    then: dockerd.sh start DIR "$(newer-dockerd.sh BUILD_DIR)"
# containerd and runc stay the distribution's.
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] || die "usage: newer-dockerd.sh BUILD_DIR"
VERSION=v2.0.0-beta.24
mkdir -p "$1"
DIR=$(cd "$1" && pwd)
BINARY=$DIR/dockerd-$VERSION

if [ ! -x "$BINARY" ]; then
  need_go
  work=$(mktemp -d "$DIR/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  GOBIN=$work CGO_ENABLED=0 GOFLAGS=-buildvcs=false go install -p 1 "github.com/moby/moby/v2/cmd/dockerd@$VERSION" >&2
  mv "$work/dockerd" "$BINARY"
fi
# The distribution's runc is older than time namespaces, which this engine asks for unless told not to.
printf '#!/bin/sh\nexec "%s" --feature time-namespaces=false "$@"\n' "$BINARY" >"$DIR/dockerd"
chmod 755 "$DIR/dockerd"
echo "$DIR/dockerd"
