#!/bin/bash
# Writes again everything that is generated: the wire between control and agents, where its
# compiler is at hand, and the reference that is printed from the tables. Tests hold all of
# it against what it is made from, so that CI fails on drift.
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=yes
for tool in protoc protoc-gen-go protoc-gen-go-grpc; do
	command -v "$tool" >/dev/null || compiler=no
done
if [ "$compiler" = yes ]; then
	internal/link/proto/generate.sh
	echo "written: internal/gen"
else
	echo "left as it is: internal/gen needs protoc, protoc-gen-go and protoc-gen-go-grpc in PATH" >&2
fi
# Each of these tests prints the documents of its table when it is asked to.
for room in rest config adapter/policy; do
	go test -count=1 "./internal/$room" -run Reference -update >/dev/null
	echo "written: the reference of internal/$room"
done
