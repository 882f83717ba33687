import { type DriverUnderTest, driverCompliance } from './driver-compliance.ts';

const lan = [
  ...['--opt', 'parent=eth0', '--subnet', '198.51.100.0/24', '--subnet', '2001:db8:f::/64'],
  ...['--gateway', '198.51.100.1', '--gateway', '2001:db8:f::1'],
];
const ofLan: DriverUnderTest['addresses'] = [
  ['198.51.100.32', '2001:db8:f::32'],
  ['198.51.100.33', '2001:db8:f::33'],
];
const machine = { leavesAs: 'itself', reachedFromOutside: true, reachesHost: false, publishes: false } as const;
const routed = ['--subnet', '10.90.0.0/24', '--subnet', 'fd00:90::/64'];

const drivers: readonly DriverUnderTest[] = [
  {
    name: 'bridge',
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
    network: ['--driver', 'macvlan', ...lan],
    other: ['--driver', 'macvlan', ...lan, '--ip-range', '198.51.100.64/28'],
    ...{ addresses: ofLan, ...machine, internal: true },
  },
  {
    name: 'ipvlan',
    network: ['--driver', 'ipvlan', ...lan],
    other: ['--driver', 'ipvlan', '--opt', 'parent=eth0', '--opt', 'ipvlan_mode=l3', ...routed],
    ...{ addresses: ofLan, ...machine, internal: true },
  },
];

for (const driver of drivers) driverCompliance(driver);
