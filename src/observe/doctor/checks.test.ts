import { expect, test } from 'vitest';
import { doctorCheck } from '../../api/schemas/status.ts';
import { doctorChecks } from './checks.ts';
import type { DoctorFacts } from './facts.ts';

const healthy: DoctorFacts = {
  features: [{ name: 'tcx', ok: true, since: '6.6', detail: '' }],
  hasBtf: true,
  jit: 1,
  bpffs: { path: '/sys/fs/bpf/vetch', mounted: true },
  cgroup: '/sys/fs/cgroup',
  hostDevice: 'vetch0',
  sysctls: {
    'net/ipv4/ip_local_port_range': '32768\t60999',
    'net/ipv4/conf/all/rp_filter': '1',
    'net/ipv4/conf/vetch0/rp_filter': '0',
    'net/ipv4/conf/vetch0/forwarding': '1',
    'net/ipv4/conf/all/route_localnet': '0',
  },
  snatPorts: [61000, 65535],
  inputChains: [{ name: 'iptables INPUT', drops: false, namesHostDevice: false }],
  foreignPrograms: [],
  managers: [{ name: 'NetworkManager', running: false, handsOff: false, file: '/etc/x' }],
  clock: { now: new Date('2026-01-02T03:04:05Z'), source: 'tsc' },
  maps: [{ name: 'endpoints', type: 'hash', entries: 3, capacity: 131072 }],
  pins: { directory: '/sys/fs/bpf/vetch', layouts: ['v1'], expected: 'v1', missing: [] },
};

function failed(change: Partial<DoctorFacts>) {
  const checks = doctorChecks({ ...healthy, ...change });
  for (const check of checks) {
    expect(doctorCheck.parse(check)).toEqual(check);
    expect(check.ok).toBe(check.remedy === null);
  }
  return checks.filter(({ ok }) => !ok);
}

test('a healthy host passes every check', () => {
  expect(failed({})).toEqual([]);
});

test('a missing feature names the kernel that has it, unless something takes its place', () => {
  const tcx = { name: 'tcx', ok: false, since: '6.6', detail: 'EINVAL' };
  expect(failed({ features: [tcx] })).toMatchObject([{ check: 'kernel: tcx', remedy: 'boot Linux 6.6 or newer' }]);
  expect(failed({ features: [{ ...tcx, fallback: 'clsact' }] })).toEqual([]);
});

test('masquerading ports that the host uses itself are found', () => {
  expect(failed({ snatPorts: [60000, 65535] })).toMatchObject([
    { check: 'snat-ports', remedy: expect.stringContaining('"32768 59999"') },
  ]);
});

test('a firewall that drops by default gets the rule it needs', () => {
  const chain = { name: 'iptables INPUT', drops: true, namesHostDevice: false };
  expect(failed({ inputChains: [chain] })).toMatchObject([
    { remedy: expect.stringContaining('iptables -I INPUT -i vetch0 -j ACCEPT') },
  ]);
  expect(failed({ inputChains: [{ ...chain, name: 'nftables inet filter input' }] })).toMatchObject([
    { remedy: expect.stringContaining('nft insert rule inet filter input iifname vetch0 accept') },
  ]);
  expect(failed({ inputChains: [{ ...chain, namesHostDevice: true }] })).toEqual([]);
});

test('another XDP program on an uplink is a failure, another TCX program is not', () => {
  const program = { device: 'eth0', name: 'theirs', id: 7 };
  expect(failed({ foreignPrograms: [{ ...program, hook: 'xdp' }] })).toHaveLength(1);
  expect(failed({ foreignPrograms: [{ ...program, hook: 'tcx_ingress' }] })).toEqual([]);
});

test('each of the rest is found', () => {
  const changes: Partial<DoctorFacts>[] = [
    { hasBtf: false },
    { jit: 0 },
    { bpffs: { path: '/tmp/x', mounted: false } },
    { cgroup: undefined },
    { sysctls: { 'net/ipv4/conf/vetch0/forwarding': '0' } },
    { managers: [{ name: 'NetworkManager', running: true, handsOff: false, file: '/etc/x' }] },
    { clock: { now: new Date(0), source: 'tsc' } },
    { clock: { now: new Date(), source: 'hpet' } },
    { maps: [{ name: 'endpoints', type: 'hash', entries: 130000, capacity: 131072 }] },
    { pins: { ...healthy.pins, missing: ['config'] } },
    { pins: { ...healthy.pins, layouts: [] } },
    { pins: { ...healthy.pins, layouts: ['v0', 'v1'] } },
  ];
  for (const change of changes) expect(failed(change)).toHaveLength(1);
});
