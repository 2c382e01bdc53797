# README's two commands in a bare Debian 12 root with the stated prerequisites and nothing else: own mount, process and
# network namespaces, its own root by pivot_root, network only through an address translation made here. Slow, so it is
# part of `make matrix SUITE=root`; ROOT_COMMANDS (default "make demo; make stop; make test") says what runs inside, and
# ROOT_WARM=1 lends it the module and build caches of this machine.
need_packages debootstrap iproute2 nftables util-linux git
base=$CACHE/root-bookworm
go_root=$(go env GOROOT)
if [ ! -e "$base/complete" ]; then
  rm -rf "$base"
  mkdir -p "${base%/*}"
  debootstrap --variant=minbase --include=make,git,ca-certificates bookworm "$base" >"$STATE/debootstrap.log"
  touch "$base/complete"
fi
new=$STATE/root
cp -a "$base" "$new"
mkdir -p "$new/usr/local/go" "$new/src" "$new/root/shared" "$new/old" "$new/root/.cache/go-build" "$new/root/go/pkg/mod"
cp /etc/resolv.conf "$new/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$new/etc/ssl/certs/" # whom this machine trusts, such as a proxy of its network

ns=zunroot$$
cat >"$STATE/stop-root" <<S
ip netns del $ns 2>/dev/null
ip link del $ns 2>/dev/null
nft delete table ip $ns 2>/dev/null
echo $(cat /proc/sys/net/ipv4/ip_forward) >/proc/sys/net/ipv4/ip_forward
S
ip netns add "$ns"
ip link add "$ns" type veth peer name eth0 netns "$ns"
ip address add 10.214.7.1/30 dev "$ns"
ip link set "$ns" up
ip -n "$ns" address add 10.214.7.2/30 dev eth0
ip -n "$ns" link set lo up
ip -n "$ns" link set eth0 up
ip -n "$ns" route add default via 10.214.7.1
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<N
table ip $ns {
  chain out { type nat hook postrouting priority 100; ip saddr 10.214.7.2 masquerade; }
  chain through { type filter hook forward priority -10; iifname "$ns" accept; oifname "$ns" accept; }
}
N

cat >"$STATE/inside.sh" <<'I'
set -euo pipefail
unset SUITE MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL # what make was told outside is not meant for those inside
new=$1 src=$2 shared=$3 go_root=$4 warm=$5 commands=$6
mount --bind "$new" "$new"
mount --bind -o ro "$go_root" "$new/usr/local/go"
mount --bind -o ro "$src" "$new/src"
[ -z "$shared" ] || mount --bind -o ro "$shared" "$new/root/shared"
if [ -n "$warm" ]; then
  mount --bind "$(go env GOMODCACHE)" "$new/root/go/pkg/mod"
  mount --bind "$(go env GOCACHE)" "$new/root/.cache/go-build"
fi
mount -t proc proc "$new/proc"
mount -t sysfs sysfs "$new/sys"
mount --rbind /dev "$new/dev"
mount -t tmpfs tmpfs "$new/run"
cd "$new"
pivot_root . old
cd /
umount -l /old
export PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
git config --global --add safe.directory '*'
git clone -q /src /root/zun
cd /root/zun
IFS=';'
for command in $commands; do
  echo "-- $command"
  begun=$SECONDS
  IFS=' ' eval "$command"
  echo "-- $command: $((SECONDS - begun)) seconds"
done
I
rc=0
ip netns exec "$ns" unshare --mount --pid --fork --kill-child --propagation private bash "$STATE/inside.sh" \
  "$new" "$ROOT" "$([ -d "$ROOT/../shared" ] && cd "$ROOT/../shared" && pwd || true)" "$go_root" "${ROOT_WARM:-}" \
  "${ROOT_COMMANDS:-make demo; make stop; make test}" || rc=1
figure root 1 $rc
[ $rc -eq 0 ]
