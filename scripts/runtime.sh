#!/usr/bin/env bash
# Makes sure that a Node of 22.12 or newer is there: the machine's, or the given version from npm's `node`
# package under .runtime/.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
bundled=.runtime/node_modules/node/bin/node

new_enough() {
  local major minor
  IFS=. read -r major minor _ <<<"$("$1" -p 'process.versions.node' 2>/dev/null || echo 0.0.0)"
  [ "$major" -gt 22 ] || { [ "$major" = 22 ] && [ "$minor" -ge 12 ]; }
}

if [ -x "$bundled" ] && [ "$("$bundled" -p 'process.versions.node' 2>/dev/null)" = "$version" ]; then exit 0; fi
own=$(PATH="${PATH//$PWD\/.runtime\/node_modules\/node\/bin:/}" type -P node || true)
if [ -n "$own" ] && new_enough "$own"; then exit 0; fi
command -v npm >/dev/null || { echo 'runtime.sh: npm is missing; install Node 20 or newer with npm' >&2; exit 1; }
echo "installing Node $version to .runtime/"
mkdir -p .runtime
npm install --silent --no-save --prefix .runtime "node@$version"
new_enough "$bundled" || { echo "runtime.sh: $bundled does not run" >&2; exit 1; }
