import { type DriverUnderTest, driverCompliance } from './driver-compliance.ts';

const lan = [
  ...['--opt', 'parent=eth0', '--subnet', '198.51.100.0/24', '--subnet', '2001:db8:f::/64'],
  ...['--gateway', '198.51.100.1', '--gateway', '2001:db8:f::1'],
];
const ofLan: Required<DriverUnderTest>['addresses'] = [
  ['198.51.100.32', '2001:db8:f::32'],
  ['198.51.100.33', '2001:db8:f::33'],
];
const machine = { leavesAs: 'itself', reachedFromOutside: true, reachesHost: false, publishes: false } as const;
const routed = ['--subnet', '10.90.0.0/24', '--subnet', 'fd00:90::/64'];

const drivers: readonly DriverUnderTest[] = [
  {
    name: 'bridge',
    own: 'device',
    network: ['--subnet', '10.88.0.0/24', '--subnet', 'fd00:88::/64'],
    other: ['--subnet', '10.89.0.0/24', '--subnet', 'fd00:89::/64'],
    addresses: [
      ['10.88.0.2', 'fd00:88::2'],
      ['10.88.0.3', 'fd00:88::3'],
    ],
    ...{ leavesAs: 'host', reachedFromOutside: false, reachesHost: true, publishes: true, internal: true },
  },
  {
    name: 'overlay',
    own: 'device',
    network: ['--driver', 'overlay', '--subnet', '10.98.0.0/24', '--subnet', 'fd00:98::/64'],
    other: ['--driver', 'overlay', '--subnet', '10.99.0.0/24', '--subnet', 'fd00:99::/64'],
    addresses: [
      ['10.98.0.2', 'fd00:98::2'],
      ['10.98.0.3', 'fd00:98::3'],
    ],
    ...{ leavesAs: 'host', reachedFromOutside: false, reachesHost: true, publishes: true, internal: true },
  },
  {
    name: 'macvlan',
    own: 'device',
    network: ['--driver', 'macvlan', ...lan],
    other: ['--driver', 'macvlan', ...lan, '--ip-range', '198.51.100.64/28'],
    ...{ addresses: ofLan, ...machine, internal: true },
  },
  {
    name: 'ipvlan',
    own: 'device',
    network: ['--driver', 'ipvlan', ...lan],
    other: ['--driver', 'ipvlan', '--opt', 'parent=eth0', '--opt', 'ipvlan_mode=l3', ...routed],
    ...{ addresses: ofLan, ...machine, internal: true },
  },
  {
    name: 'host',
    own: 'cgroup',
    network: ['--driver', 'host'],
    other: ['--subnet', '10.89.0.0/24', '--subnet', 'fd00:89::/64'],
    ...{ leavesAs: 'host', reachedFromOutside: true, reachesHost: true, publishes: false, internal: false },
  },
];

for (const driver of drivers) driverCompliance(driver);
