# Consoles from outside: the original's clients and ours in a pseudo-terminal, xterm.js in a browser, pipes, storms and
# lost hosts, over zun-api, zun-compute and zun-wsproxy as three processes.
need_packages docker.io busybox-static python3-zunclient python3-openstackclient iproute2
make -s build
export ZUN_TEST_BIN=$BIN ZUN_TEST_XTERM
ZUN_TEST_XTERM=$(scripts/browser.sh)
printf 'scripts/dockerd.sh stop %q\n' "$STATE/console-docker" >"$STATE/stop-console"
eval "$(scripts/dockerd.sh start "$STATE/console-docker")"
scripts/image.sh "$ZUN_TEST_DOCKER" cirros:latest
gotest console -count=1 -tags integration ./test/console
scripts/dockerd.sh stop "$STATE/console-docker"

# What strangers send is made up, too: frames, tickets, origins, signals and forwarded addresses, for a while each.
span=5s
if [ -n "$MATRIX" ]; then span=5m; fi
go test -c -fuzz=Fuzz -o "$STATE/term.fuzz" ./internal/term
targets=$("$STATE/term.fuzz" -test.list '^Fuzz')
broken=0
for target in $targets; do
  (cd internal/term && "$STATE/term.fuzz" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime $span -test.fuzzcachedir "$STATE/fuzz") >"$STATE/$target.log" 2>&1 ||
    { broken=$((broken + 1)); tail -n 40 "$STATE/$target.log"; }
  say "$target: $(grep -o 'execs: [0-9]*' "$STATE/$target.log" | tail -n 1) in $span"
done
figure console-fuzz "$(wc -w <<<"$targets")" $broken
[ $broken -eq 0 ]
