#!/usr/bin/env bash
# Puts the binaries, the units and the directories of a deployment in place.
# PREFIX (default /usr) and DESTDIR (default empty) say where.
. "$(dirname "$0")/lib.sh"
PREFIX=${PREFIX:-/usr} DESTDIR=${DESTDIR:-}
install -d "$DESTDIR$PREFIX/bin" "$DESTDIR/etc/zun/zun.conf.d" "$DESTDIR/lib/systemd/system"
install -d -m 0750 "$DESTDIR/var/lib/zun"
install -m 0755 "$BIN"/* "$DESTDIR$PREFIX/bin/"
for unit in "$ROOT"/packaging/systemd/*.service; do
  sed "s#/usr/bin/#$PREFIX/bin/#" "$unit" >"$DESTDIR/lib/systemd/system/${unit##*/}"
done
if [ ! -e "$DESTDIR/etc/zun/zun.conf" ]; then
  "$BIN/zun-api" config sample >"$DESTDIR/etc/zun/zun.conf"
  chmod 0640 "$DESTDIR/etc/zun/zun.conf"
fi
if [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ] && ! getent passwd zun >/dev/null; then
  useradd --system --home-dir /var/lib/zun --shell /usr/sbin/nologin zun
  chown zun:zun /var/lib/zun /etc/zun/zun.conf
fi
say "installed under $DESTDIR$PREFIX; next: edit $DESTDIR/etc/zun/zun.conf, run zun-db-manage upgrade, start the units"
