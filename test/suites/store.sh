# The one store on its three real databases.
need_packages mariadb-server postgresql
printf 'test/servers/databases.sh stop %q\n' "$STATE/databases" >"$STATE/stop-databases"
eval "$(test/servers/databases.sh start "$STATE/databases")"
gotest store -tags integration ./internal/adapter/store/...
