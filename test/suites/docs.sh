# Every block of the documents that is marked `sh run`, against what make demo leaves up, in the order of its document.
need_packages curl jq iproute2 nftables
export ZUN_DEMO_DIR=$STATE/demo
cat >"$STATE/stop-docs" <<S
export ZUN_DEMO_DIR=$STATE/demo
scripts/stop.sh >/dev/null 2>&1
S
make -s demo >"$STATE/docs.out" 2>&1 || { tail -n 40 "$STATE/docs.out"; return 1; }
# shellcheck source=/dev/null
. "$ZUN_DEMO_DIR/openrc"
export ZUN_URL=http://127.0.0.1:9517 PATH=$BIN:$PATH TOKEN
TOKEN=$(jq -n '{auth: {identity: {methods: ["password"], password: {user: {name: env.OS_USERNAME, password: env.OS_PASSWORD,
  domain: {name: env.OS_USER_DOMAIN_NAME}}}}, scope: {project: {name: env.OS_PROJECT_NAME, domain: {name: env.OS_PROJECT_DOMAIN_NAME}}}}}' |
  curl -sf -D - -o /dev/null "$OS_AUTH_URL/auth/tokens" -H 'Content-Type: application/json' -d @- |
  awk 'tolower($1) == "x-subject-token:" {print $2}' | tr -d '\r')

mkdir "$STATE/blocks"
for document in README.md docs/*.md; do
  awk -v to="$STATE/blocks/$(basename "$document" .md)" '
    /^```sh run$/ {file = sprintf("%s:%04d", to, NR); next}
    /^```$/ {file = ""}
    file {print >file}' "$document"
done
ran=0 bad=0
for block in "$STATE"/blocks/*; do
  ran=$((ran + 1))
  if timeout 120 bash -euo pipefail "$block" >"$STATE/docs.out" 2>&1; then
    say "ok ${block##*/}"
  else
    bad=$((bad + 1))
    say "FAIL ${block##*/}"
    tail -n 40 "$STATE/docs.out"
  fi
done
figure docs $ran $bad
[ $ran -gt 0 ] && [ $bad -eq 0 ]
