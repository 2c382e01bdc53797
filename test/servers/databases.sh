#!/bin/bash
# Starts or stops throw-away database servers for the tests: PostgreSQL and MariaDB
# on ports of their own on 127.0.0.1, with everything they write under one folder.
#
#   test/servers/databases.sh start DIR   # prints the exports that the tests read
#   test/servers/databases.sh stop DIR
#
# Both may be repeated. It must run as root: the servers run as their own users.
# Nothing is synced to disk, because the data is worth nothing.
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -eq 2 ] || usage
verb=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)

# alive FILE: does the server whose pid is in the first line of FILE run?
alive() { [ -s "$1" ] && kill -0 "$(head -n 1 "$1")" 2>/dev/null; }

# free_port: a port of 127.0.0.1 that nobody listens on.
free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)); do
    if ! (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
}

# await WHAT COMMAND...: repeats COMMAND for 60 seconds at most, until it succeeds.
await() {
  local what=$1 tries=0; shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then echo "$what did not happen within 60 s; see the logs in $dir" >&2; exit 1; fi
    sleep 0.2
  done
}

gone() { ! alive "$1"; }

# --- PostgreSQL

pg=$dir/postgres
pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)

start_postgres() {
  alive "$pg/data/postmaster.pid" && return
  if [ ! -s "$pg/port" ]; then
    rm -rf "$pg"
    install -d -o postgres -g postgres -m 700 "$pg"
    runuser -u postgres -- "$pg_bin/initdb" -D "$pg/data" -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/postgres-init.log" 2>&1
    free_port >"$pg/port"
  fi
  rm -f "$pg/data/postmaster.pid" # of a server that died; alive has just said so
  runuser -u postgres -- "$pg_bin/postgres" -D "$pg/data" -p "$(cat "$pg/port")" -k "$pg" \
    -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c max_connections=300 >>"$dir/postgres.log" 2>&1 </dev/null &
  disown
  await "PostgreSQL answering" runuser -u postgres -- "$pg_bin/psql" -h 127.0.0.1 -p "$(cat "$pg/port")" -c 'SELECT 1' postgres
}

# --- MariaDB

maria=$dir/mariadb

start_mariadb() {
  alive "$maria/pid" && return
  if [ ! -s "$maria/port" ]; then
    rm -rf "$maria"
    install -d -o mysql -g mysql -m 700 "$maria"
    mariadb-install-db --no-defaults --user=mysql --datadir="$maria/data" --auth-root-authentication-method=normal \
      --skip-test-db >"$dir/mariadb-init.log" 2>&1
    free_port >"$maria/port"
  fi
  mariadbd --no-defaults --user=mysql --datadir="$maria/data" --socket="$maria/socket" --pid-file="$maria/pid" \
    --bind-address=127.0.0.1 --port="$(cat "$maria/port")" --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync \
    --skip-log-bin --max-connections=300 --skip-name-resolve >>"$dir/mariadb.log" 2>&1 </dev/null &
  disown
  await "MariaDB answering" mariadb --no-defaults -u root --socket="$maria/socket" -e 'SELECT 1'
}

# stop_by FILE: ends the server whose pid is in FILE and waits for its end.
stop_by() {
  alive "$1" || return 0
  kill -INT "$(head -n 1 "$1")"
  await "the end of the server of $1" gone "$1"
}

case $verb in
start)
  [ -n "$pg_bin" ] || { echo "PostgreSQL is not installed (apt-get install postgresql)" >&2; exit 1; }
  command -v mariadbd >/dev/null || { echo "MariaDB is not installed (apt-get install mariadb-server)" >&2; exit 1; }
  # The servers' users must reach their folders.
  chmod o+x "$dir"
  path=$(dirname "$dir")
  while [ "$path" != / ]; do
    [ "$(stat -c %A "$path" | cut -c 10)" != - ] || { echo "$path must be searchable by the servers' users (chmod o+x)" >&2; exit 1; }
    path=$(dirname "$path")
  done
  start_postgres
  start_mariadb
  echo "export ZUN_TEST_POSTGRES='postgresql://postgres@127.0.0.1:$(cat "$pg/port")/postgres?sslmode=disable'"
  echo "export ZUN_TEST_MARIADB='mysql://root@localhost/mysql?unix_socket=$maria/socket'"
  ;;
stop)
  stop_by "$pg/data/postmaster.pid"
  # SIGINT means nothing to mariadbd; SIGTERM is its orderly end.
  if alive "$maria/pid"; then kill -TERM "$(cat "$maria/pid")"; await "the end of MariaDB" gone "$maria/pid"; fi
  ;;
*) usage ;;
esac
