import { expect, test } from 'vitest';
import { judgeChain, nftInputChains } from './firewall.ts';
import { cgroup2Mount, hostFacts } from './host-facts.ts';

test('cgroup2 is found wherever it is mounted', () => {
  const hybrid = 'cgroup /sys/fs/cgroup/memory cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/uni\\040fied cgroup2 rw 0 0\n';
  expect(cgroup2Mount(hybrid)).toBe('/sys/fs/cgroup/uni fied');
  expect(cgroup2Mount('tmpfs /tmp tmpfs rw 0 0\n')).toBeUndefined();
});

test('base chains for packets to the host are picked out', () => {
  const chain = { family: 'inet', table: 'filter', handle: 1 };
  const json = JSON.stringify({
    nftables: [
      { metainfo: {} },
      { chain: { ...chain, name: 'input', type: 'filter', hook: 'input', policy: 'drop' } },
      { chain: { ...chain, name: 'forward', type: 'filter', hook: 'forward', policy: 'drop' } },
      { chain: { ...chain, name: 'mine' } },
    ],
  });
  expect(nftInputChains(json)).toEqual([['inet', 'filter', 'input']]);
});

test('a chain drops by its policy or by a last rule that matches everything', () => {
  const nft = (policy: string, ...rules: string[]) =>
    `table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy ${policy};\n${rules
      .map((rule) => `\t\t${rule}\n`)
      .join('')}\t}\n}\n`;
  expect(judgeChain(nft('drop', 'iifname "vetch0" accept'), 'vetch0')).toEqual({ drops: true, namesHostDevice: true });
  expect(
    judgeChain(
      nft('accept', 'iif lo accept', 'counter packets 3 bytes 180 reject with icmpx admin-prohibited'),
      'vetch0',
    ),
  ).toEqual({
    drops: true,
    namesHostDevice: false,
  });
  expect(judgeChain(nft('accept', 'tcp dport 22 drop'), 'vetch0').drops).toBe(false);
  expect(judgeChain('-P INPUT DROP\n-A INPUT -i vetch0 -j ACCEPT\n', 'vetch0')).toEqual({
    drops: true,
    namesHostDevice: true,
  });
  expect(judgeChain('-P INPUT ACCEPT\n-A INPUT -i vetch01 -j DROP\n', 'vetch0')).toEqual({
    drops: false,
    namesHostDevice: false,
  });
  expect(judgeChain('-P INPUT ACCEPT\n-A INPUT -j REJECT --reject-with icmp-port-unreachable\n', 'vetch0').drops).toBe(
    true,
  );
});

test('this host tells its facts', () => {
  const facts = hostFacts('lo');
  expect(facts.sysctls['net/ipv4/ip_local_port_range']).toMatch(/^\d+\s+\d+$/);
  expect(facts.sysctls['net/ipv4/conf/lo/forwarding']).toMatch(/^[01]$/);
  expect(facts.clock.now.getTime()).toBeGreaterThan(0);
});
