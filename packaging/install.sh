#!/usr/bin/env bash
# Copies a built checkout to PREFIX. With DESTDIR nothing of the running system is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}
library=$root$prefix/lib/vetch

rm -rf "$library.new"
install -d "$library.new/bpf" "$root$prefix/bin" "$root$prefix/lib/systemd/system" "$root/etc/systemd/network" \
  "$root/etc/NetworkManager/conf.d"
cp -r bin dist proto package.json LICENSE LICENSES "$library.new/"
cp -r bpf/build "$library.new/bpf/"
[ ! -x .runtime/node_modules/node/bin/node ] || cp --parents .runtime/node_modules/node/bin/node "$library.new/"
# What running needs, without the development tools
npm ls --omit=dev --all --parseable 2>/dev/null | while read -r path; do
  case $path in "$PWD"/node_modules/*) cp -r --parents "${path#"$PWD"/}" "$library.new/" ;; esac
done
rm -rf "$library"
mv "$library.new" "$library"
ln -sfn ../lib/vetch/bin/vetch "$root$prefix/bin/vetch"
for unit in vetch.service vetch-resolver.service; do
  sed "s|@PREFIX@|$prefix|" "packaging/systemd/$unit" >"$root$prefix/lib/systemd/system/$unit"
done
install -m 0644 packaging/systemd/10-vetch.network "$root/etc/systemd/network/10-vetch.network"
install -m 0644 packaging/90-vetch-networkmanager.conf "$root/etc/NetworkManager/conf.d/90-vetch.conf"
echo "vetch is in $root$prefix"
[ -z "$root" ] || exit 0

getent group vetch >/dev/null || groupadd --system vetch
getent passwd vetch-resolver >/dev/null ||
  useradd --system --gid vetch --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin vetch-resolver
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --now vetch.service vetch-resolver.service
  systemctl --no-pager --lines=0 status vetch.service vetch-resolver.service
else
  echo 'there is no systemd here: start it with `vetch daemon`, and `vetch resolver run`'
fi
