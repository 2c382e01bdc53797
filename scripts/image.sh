#!/usr/bin/env bash
# Builds a small image from Debian's busybox-static and loads it:
#   image.sh DOCKER_HOST NAME...    NAME: repository:tag, as often as wanted
# It has the applets, /tmp, /etc/passwd and a shell: enough for whatever people try first.
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || die "usage: image.sh DOCKER_HOST NAME..."
need_packages busybox-static
HOST=$1
shift
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,sbin,etc,tmp,proc,sys,dev,root,usr/bin,usr/sbin,var/run,home/cirros}
chmod 1777 "$tree/tmp"
cp /bin/busybox "$tree/bin/busybox"
while read -r applet; do ln -sf /bin/busybox "$tree/bin/$applet"; done < <(/bin/busybox --list | grep -v '^busybox$')
printf 'root:x:0:0:root:/root:/bin/sh\ncirros:x:1000:1000:cirros:/home/cirros:/bin/sh\n' >"$tree/etc/passwd"
printf 'root:x:0:\ncirros:x:1000:\n' >"$tree/etc/group"
: >"$tree/etc/hosts"
: >"$tree/etc/resolv.conf"
: >"$tree/etc/hostname"
first=$1
tar -C "$tree" --owner=0 --group=0 -c . | docker -H "$HOST" import --change 'CMD ["/bin/sh"]' --change 'ENV PATH=/bin:/sbin:/usr/bin:/usr/sbin' - "$first" >/dev/null
for name in "${@:2}"; do docker -H "$HOST" tag "$first" "$name"; done
