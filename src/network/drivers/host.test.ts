import { expect, test } from 'vitest';
import { isLimited } from '../limits-of.ts';
import { indexOf, planned, refusal } from '../testing.ts';
import { hostDriver } from './host.ts';

const network = () => planned({ name: 'host', driver: 'host' });
const web = '/sys/fs/cgroup/system.slice/web.service';

test('a host network has no subnet, and there is one of them', () => {
  expect(network()).toMatchObject({ subnets: [], internal: false });
  expect(hostDriver.planNetwork(network())).toMatchObject({ flags: ['PRESENT'], hostAddresses: [], hostRoutes: [] });
  for (const more of [{ subnets: ['10.1.0.0/16'] }, { internal: true }, { options: { 'vetch.forwarding': 'stack' } }]) {
    expect(refusal(() => planned({ driver: 'host', ...more }))).toMatchObject({ code: 'INVALID' });
  }
  const second = () => planned({ name: 'second', driver: 'host' }, { networks: [network()] });
  expect(refusal(second)).toMatchObject({ code: 'IN_USE', hint: 'attach to host' });
});

test('an endpoint of it has a cgroup, and neither device nor address', () => {
  const endpoint = indexOf(network()).attach({ netns: '', cgroup: web });
  expect(endpoint).toMatchObject({ cgroup: web, addresses: [], hostIfname: '', mac: '' });
});

test.each([
  ['the same', web],
  ['one within', `${web}/worker`],
  ['one around', '/sys/fs/cgroup/system.slice'],
])('%s is nobody else’s cgroup', (_, cgroup) => {
  const { attach } = indexOf(network());
  attach({ name: 'web', netns: '', cgroup: web });
  const refused = refusal(() => attach({ name: 'other', netns: '', cgroup }));
  expect(refused).toMatchObject({ code: 'IN_USE', message: expect.stringContaining('host/web') });
  expect(attach({ name: 'other', netns: '', cgroup: `${web}2` }).cgroup).toBe(`${web}2`);
});

test('a label that would limit an endpoint elsewhere limits none of it', () => {
  const labels = { 'vetch.rate.egress': '1Mbit' };
  const [inHost, bridge] = [network(), planned()];
  expect(isLimited(indexOf(inHost).attach({ netns: '', cgroup: web, labels }), inHost)).toBe(false);
  expect(isLimited(indexOf(bridge).attach({ labels }), bridge)).toBe(true);
});
