#!/usr/bin/env bash
# Compiles the BPF programs anew, from a copy at another path, and compares them with the committed objects.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/scripts"
cp -r bpf Makefile "$copy"
cp scripts/packages.sh "$copy/scripts"
rm -rf "$copy/bpf/build"
make -C "$copy" bpf >"$copy/log" 2>&1 || { cat "$copy/log" >&2; exit 1; }
status=0
for object in "$copy"/bpf/build/*.bpf.o bpf/build/*.bpf.o; do
  name=${object##*/}
  if ! cmp -s "bpf/build/$name" "$copy/bpf/build/$name"; then
    echo "bpf/build/$name is not what its source compiles to: run \`make bpf\` and commit it" >&2
    status=1
  fi
done
exit $status
