#!/bin/sh
# Runs the daemon as a container, or a newer one in place of the one that runs: the datapath goes on meanwhile.
# Arguments are flags of `vetch daemon`. README.md says what each capability and mount is for.
set -eu
image=${VETCH_IMAGE:-vetch}
capabilities=${VETCH_CAPABILITIES:-NET_ADMIN NET_BIND_SERVICE SYS_ADMIN}

options=''
for capability in $capabilities; do options="$options --cap-add $capability"; done

mkdir -p /run/vetch /run/docker/plugins /run/netns
docker rm --force vetch >/dev/null 2>&1 || true
# shellcheck disable=SC2086 # a list of options
exec docker run --detach --name vetch --restart unless-stopped --stop-timeout 30 \
  --network host --pid host --cgroupns host \
  --cap-drop ALL $options \
  --security-opt no-new-privileges --security-opt systempaths=unconfined --security-opt apparmor=unconfined \
  --read-only \
  --volume vetch-state:/var/lib/vetch \
  --volume /sys/fs/bpf:/sys/fs/bpf \
  --volume /sys/fs/cgroup:/sys/fs/cgroup \
  --volume /run/docker/plugins:/run/docker/plugins \
  --volume /run/docker.sock:/run/docker.sock \
  --volume /run/vetch:/run/vetch \
  --volume /run/netns:/run/netns:rslave \
  "$image" daemon --docker-engine /run/docker.sock "$@"
