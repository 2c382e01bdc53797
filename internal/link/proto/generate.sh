#!/bin/bash
# Writes internal/gen/linkv1 from the contract beside this file. Needs protoc, protoc-gen-go
# and protoc-gen-go-grpc in PATH; with "check" it only tells whether the committed code fits.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out="$root"
if [ "${1:-}" = check ]; then
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
fi
protoc -I "$here" \
	--go_out="$out" --go_opt=module=github.com/go-zun/zun \
	--go-grpc_out="$out" --go-grpc_opt=module=github.com/go-zun/zun \
	"$here"/zun/link/v1/*.proto
[ "$out" = "$root" ] || diff -r "$out/internal/gen/linkv1" "$root/internal/gen/linkv1"
