import { existsSync } from 'node:fs';
import type { Machine } from '../../test/lab/machine.ts';
import { must } from '../../test/lab/process.ts';
import { type Arena, cable } from '../arena.ts';
import type { Path } from '../tools/path.ts';

const hostAddress = '192.0.2.129';

/** The rules that Docker's bridge driver makes, for one bridge and one published port, in nftables' own words. */
function rules(port: number): string {
  return `
table ip docker {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump docker-nat
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr != 127.0.0.0/8 fib daddr type local jump docker-nat
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
  }
  chain docker-nat {
    iifname "docker0" return
    iifname != "docker0" tcp dport ${port}-${port + 9} dnat to 172.17.0.2
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    counter jump docker-user
    counter jump docker-forward
  }
  chain docker-user {
    counter return
  }
  chain docker-forward {
    counter jump docker-ct
    counter jump docker-isolation
    counter jump docker-bridge
    iifname "docker0" counter accept
  }
  chain docker-ct {
    oifname "docker0" ct state related,established counter accept
  }
  chain docker-isolation {
    iifname "docker0" oifname != "docker0" counter jump docker-isolation-2
    counter return
  }
  chain docker-isolation-2 {
    oifname "docker0" counter drop
    counter return
  }
  chain docker-bridge {
    oifname "docker0" counter jump docker-ports
  }
  chain docker-ports {
    iifname != "docker0" oifname "docker0" ip daddr 172.17.0.2 tcp dport ${port}-${port + 9} counter accept
    iifname != "docker0" oifname "docker0" counter drop
  }
}
table ip raw {
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    ip daddr 172.17.0.2 iifname != "docker0" counter drop
  }
}
`;
}

export interface DockerLike {
  readonly containerToContainer: Path;
  readonly publishedFromOutside: Path;
}

/**
 * A host as Docker sets one up: a bridge, its rules and NAT, bridged packets through the rules too; two containers on
 * it and a machine outside. Undefined with the reason where this machine cannot have it.
 */
export async function dockerLike(arena: Arena, port: number): Promise<DockerLike | string> {
  const [host, server, client, visitor] = await Promise.all(
    ['docker-host', 'docker-server', 'docker-client', 'docker-visitor'].map((name) => arena.machine(name)),
  );
  if (!host || !server || !client || !visitor) throw new Error('there are four machines');
  if ((await host.exec('nft', '--version')).status !== 0) return 'nftables is not installed';
  if (!existsSync('/proc/sys/net/bridge')) return 'the kernel has no br_netfilter';
  try {
    await must(host.command(['nft', '-f', '-']), { input: rules(port) });
  } catch (error) {
    return `the kernel refuses the rules: ${String(error).split('\n')[1] ?? error}`;
  }
  await host.ip(
    'link add docker0 type bridge forward_delay 0',
    'address add 172.17.0.1/16 dev docker0',
    'link set docker0 up',
  );
  await host.sysctl({ 'net/ipv4/ip_forward': 1, 'net/bridge/bridge-nf-call-iptables': 1 });
  await join(host, 'vethserver', server, '172.17.0.2');
  await join(host, 'vethclient', client, '172.17.0.3');
  await cable(
    { machine: host, device: 'eth0', address: `${hostAddress}/25` },
    { machine: visitor, device: 'eth0', address: '192.0.2.130/25' },
  );
  return {
    containerToContainer: { name: 'Docker-like bridge', client, server, address: '172.17.0.2' },
    publishedFromOutside: { name: 'Docker-like DNAT', client: visitor, server, address: hostAddress },
  };
}

async function join(host: Machine, port: string, container: Machine, address: string): Promise<void> {
  await cable({ machine: host, device: port }, { machine: container, device: 'eth0', address: `${address}/16` });
  await host.ip(`link set ${port} master docker0`);
  await container.ip('route add default via 172.17.0.1');
}
