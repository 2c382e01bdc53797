# The recorded exchanges of the original service: at the front door alone, and as scripts against a running
# service on the fake engine. They lie beside the clone or where ZUN_GOLDEN_DIR says.
need_packages iproute2 iptables nftables mariadb-server postgresql
goldens=${ZUN_GOLDEN_DIR:-$ROOT/../shared/golden}
[ -d "$goldens" ] || die "the recordings are needed at $goldens: put them there, or name their directory in ZUN_GOLDEN_DIR"
export ZUN_GOLDEN_DIR ZUN_TEST_BIN=$STATE/bin ZUN_TEST_TABLE=$STATE/contract-table
ZUN_GOLDEN_DIR=$(cd "$goldens" && pwd)
mkdir -p "$ZUN_TEST_BIN"
CGO_ENABLED=0 go build -o "$ZUN_TEST_BIN/" ./cmd/...
rc=0
gotest contract -count=1 -tags integration -parallel 4 -timeout 12m -run 'Recordings|Gap|HostIsGone' ./internal/rest ./test/contract || rc=1
# What is answered while a database is away, and events that miss nothing, on the three real ones.
printf 'test/servers/databases.sh stop %q\n' "$STATE/outage" >"$STATE/stop-outage"
eval "$(test/servers/databases.sh start "$STATE/outage")"
gotest contract-outages -count=1 -tags integration -run 'OutageOf|EventsOnServers|WhileTheDatabase' ./internal/app || rc=1
[ ! -f "$ZUN_TEST_TABLE" ] || cat "$ZUN_TEST_TABLE"

# Every fuzz target of what reads words of others, a bounded number of times each; more often, and through the whole front, in a
# matrix.
read_by_us="./internal/rest ./internal/rest/body ./internal/rest/schema ./internal/adapter/policy ./internal/config ./internal/cli/template"
[ -z "$MATRIX" ] || read_by_us="$read_by_us ./internal/app"
# shellcheck disable=SC2086 # the packages are words
FUZZ_TRIES=${MATRIX:+300000} test/fuzz-targets $read_by_us 2>&1 | tee "$STATE/fuzzed" || rc=1
read -r _ ran bad < <(tail -1 "$STATE/fuzzed")
figure contract-fuzz "$ran" "$bad"
[ $rc -eq 0 ]
