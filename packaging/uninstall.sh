#!/usr/bin/env bash
# Undoes install.sh: stops the daemon, removes everything from the kernel, then the files. What the user has declared
# (/var/lib/vetch, /etc/vetch) stays; the last line says so.
set -euo pipefail
prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}

if [ -z "$root" ]; then
  if [ -d /run/systemd/system ]; then systemctl disable --now vetch-resolver.service vetch.service 2>/dev/null || true; fi
  if [ -x "$prefix/bin/vetch" ]; then "$prefix/bin/vetch" daemon --uninstall; fi
fi
rm -rf "$root$prefix/lib/vetch"
rm -f "$root$prefix/bin/vetch" "$root$prefix/lib/systemd/system/vetch.service" \
  "$root$prefix/lib/systemd/system/vetch-resolver.service" "$root/etc/systemd/network/10-vetch.network" \
  "$root/etc/NetworkManager/conf.d/90-vetch.conf"
[ -n "$root" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload
for directory in /var/lib/vetch /etc/vetch; do
  [ ! -e "$root$directory" ] || echo "left alone: $root$directory"
done
