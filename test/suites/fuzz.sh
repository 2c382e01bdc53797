# Storms of requests and misfortunes drawn from seeds, over real processes: two replicas of control, on PostgreSQL and on MariaDB,
# with two hosts, and the all-in-one on SQLite. Every change is held against the seeds that are kept; the matrix weathers new
# ones for FUZZ_MINUTES. FUZZ_SEED, with FUZZ_REQUESTS and FUZZ_VARIANT, runs one again.
need_packages iproute2 nftables util-linux mariadb-server postgresql
make -s build
printf 'test/servers/databases.sh stop %q\n' "$STATE/fuzz-databases" >"$STATE/stop-fuzz"
eval "$(test/servers/databases.sh start "$STATE/fuzz-databases")"
storms=TestSeeds
if [ -n "$MATRIX" ]; then storms=.; fi
ZUN_TEST_BIN=$BIN gotest fuzz -count=1 -tags integration -parallel 3 -timeout 60m -run "$storms" ./test/fuzz
test/servers/databases.sh stop "$STATE/fuzz-databases"
