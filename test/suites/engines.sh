# Every engine against the same conformance suite: Debian's Docker, and one built from the newest sources, because it is
# with new engines that services like this have died.
need_packages docker.io busybox-static docker-registry iproute2 btrfs-progs
printf 'scripts/dockerd.sh stop %q\nscripts/dockerd.sh stop %q\n' "$STATE/docker" "$STATE/newer" >"$STATE/stop-engines"
eval "$(scripts/dockerd.sh start "$STATE/docker")"
gotest engines -tags integration -p 1 ./internal/adapter/engine/...
scripts/dockerd.sh stop "$STATE/docker"
eval "$(scripts/dockerd.sh start "$STATE/newer" "$(scripts/newer-dockerd.sh "$CACHE/dockerd")")"
gotest engines-newer -tags integration -p 1 ./internal/adapter/engine/docker/...
