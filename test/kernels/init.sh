#!/bin/sh
# The guest's first and only process: mounts what a machine has, runs the tests, sends the report to the second
# serial line and powers off. Kernel arguments that begin with vetch. say what to run.
# Emulated, Node compiles slowly: what it compiled once it finds again
export NODE_COMPILE_CACHE=/tmp/compile-cache
export PATH=/usr/bin:/usr/sbin HOME=/root VETCH_TEST_SLOWNESS=10 VETCH_TEST_SCTP=1 VETCH_TEST_VLAN=1 NO_COLOR=1 CI=1 TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mkdir -p /run/netns
ip link set lo up
hostname vetch-kernel
cd /vetch

# shellcheck disable=SC2013 # words are what is wanted
for word in $(cat /proc/cmdline); do
  case $word in vetch.run=*) runs=${word#vetch.run=} ;; esac
done

# What /dev/net/tun is of: some tests have a tun device stand for WireGuard's
modprobe tun

echo "vetch: kernel $(uname -r), node $(node -v)"
# vetch.run=kernel+lab:test/lab/small.test.ts: runs apart by +, each a project, a colon and files apart by commas
IFS=+
for one in $runs; do
  unset IFS
  project=${one%%:*}
  files=$(echo "${one#"$project"}" | tr ':,' '  ')
  # shellcheck disable=SC2086 # files are words
  node node_modules/vitest/vitest.mjs run --project "$project" $files \
    --reporter=default --reporter=json --outputFile.json=/tmp/report.json </dev/null
  # One line, after a mark, on the line that nothing else writes to
  stty -F /dev/ttyS1 raw 2>/dev/null
  { printf 'report %s ' "$project"; tr -d '\n' </tmp/report.json; echo; } >/dev/ttyS1
  rm -f /tmp/report.json
done
echo end >/dev/ttyS1
sync
poweroff -f
