#!/usr/bin/env bash
# A browser and the terminal that its page shows; prints the directory of the terminal's package.
. "$(dirname "$0")/lib.sh"
need_packages chromium >&2
command -v npm >/dev/null 2>&1 || need_packages nodejs npm >&2
PAGE=$ROOT/test/console/page
TO=$CACHE/page/$(sha256sum "$PAGE/package-lock.json" | cut -c1-16)
if [ ! -e "$TO/done" ]; then
  mkdir -p "$TO"
  cp "$PAGE/package.json" "$PAGE/package-lock.json" "$TO/"
  npm ci --prefix "$TO" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  touch "$TO/done"
fi
printf '%s\n' "$TO/node_modules/@xterm/xterm"
