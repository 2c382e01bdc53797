# Consoles from outside: the original's clients and ours in a pseudo-terminal, xterm.js in a browser, pipes, storms and
# lost hosts, over zun-api, zun-compute and zun-wsproxy as three processes.
need_packages docker.io busybox-static nginx-light python3-zunclient python3-openstackclient iproute2
make -s build
export ZUN_TEST_BIN=$BIN ZUN_TEST_XTERM
ZUN_TEST_XTERM=$(scripts/browser.sh)
printf 'scripts/dockerd.sh stop %q\n' "$STATE/console-docker" >"$STATE/stop-console"
eval "$(scripts/dockerd.sh start "$STATE/console-docker")"
scripts/image.sh "$ZUN_TEST_DOCKER" cirros:latest
gotest console -count=1 -tags integration -parallel 4 -timeout 20m ./test/console
scripts/dockerd.sh stop "$STATE/console-docker"

# What strangers send is made up, too: frames, tickets, origins, signals and forwarded addresses, for a while each.
told=$(FUZZ_TRIES=${MATRIX:+1000000} test/fuzz-targets ./internal/term) || true
printf '%s\n' "$told"
read -r _ targets broken <<<"$(tail -n 1 <<<"$told")"
figure console-fuzz "$targets" "$broken"
[ "$broken" -eq 0 ]
