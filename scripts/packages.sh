#!/usr/bin/env bash
# Installs the Debian packages of the named groups, only those that are missing.
set -euo pipefail

declare -A groups=(
  # libbpf1 is the one library that the daemon calls
  [run]='libbpf1 iproute2'
  [demo]='bpftool curl python3 iputils-ping tcpdump util-linux procps'
  [test]='iperf3 ethtool conntrack nftables libcap2-bin lsof bind9-dnsutils'
  [bpf]='clang-19 llvm-19 libbpf-dev linux-libc-dev'
  [bench]='iperf3 ethtool sockperf nftables iptables'
  # Debian 12's engine, which a lab host starts for itself
  [engine]='docker.io containerd runc iptables'
  # Fetches other engines into folders
  [engines]='debootstrap'
  # Debian 12's, in Python; the plugin for `docker compose` is not in its archive
  [compose]='docker-compose'
  # Three members of it are a cluster's store; its client is what an operator looks in with
  [etcd]='etcd-server etcd-client openssl'
  [kernels]='qemu-system-x86 busybox-static kmod'
)

missing=()
for group in "$@"; do
  [ -n "${groups[$group]:-}" ] || { echo "packages.sh: no group named $group" >&2; exit 2; }
  # Another packaging's engine serves as well, and would be removed to make room
  if [ "$group" = engine ] && command -v dockerd >/dev/null && command -v docker >/dev/null; then continue; fi
  for package in ${groups[$group]}; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "packages.sh: missing Debian packages: ${missing[*]}; run as root, or: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
wait=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
echo "installing ${missing[*]}"
# What a test needs is no reason to start a service here: Debian asks this program, and 101 means no
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  trap 'rm -f "$policy"' EXIT
  chmod +x "$policy"
fi
apt-get "${wait[@]}" -qq update
apt-get "${wait[@]}" -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
