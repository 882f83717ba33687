import { describe, expect, test } from 'vitest';
import { desiredHostDevice, sharedBlock } from '../desired/devices.ts';
import { aLink, aNetwork } from '../testing.ts';
import { planBinding, planMaking, planOpening, type WantedDevices } from './devices.ts';

const web = 'vt00000000001';
const wanted: WantedDevices = { host: desiredHostDevice([aNetwork()]), endpoints: new Map([[web, 1500]]) };
const links = [aLink(2, 'eth0'), aLink(3, 'vetch0'), aLink(4, 'vetch0p'), aLink(10, web)];
const state = {
  addresses: ['10.88.0.1/32', 'fd00:88::1/128'],
  routes: [
    { destination: '10.88.0.0/16', source: '10.88.0.1' },
    { destination: 'fd00:88::/64', source: 'fd00:88::1' },
  ],
};

describe('the plan of the devices', () => {
  test('nothing is done where all is as it should be', () => {
    expect(planMaking(wanted, links)).toEqual([]);
    const blocks = new Map([
      [4, sharedBlock],
      [10, sharedBlock],
    ]);
    expect(planBinding(wanted, links, blocks, 7, 7)).toEqual([]);
    expect(planOpening(wanted, links, state)).toEqual([]);
  });

  test('what a crash left is removed, what is missing is made', () => {
    const found = [aLink(2, 'eth0'), aLink(11, 'vt0000000000f'), aLink(12, 'vtgold')];
    expect(planMaking(wanted, found)).toEqual([
      { kind: 'delete-orphan', link: found[1] },
      { kind: 'create-host-device' },
      { kind: 'create-endpoint', hostIfname: web },
    ]);
  });

  test('the anchor and its filter come before any endpoint is bound', () => {
    expect(planBinding(wanted, links, new Map([[10, 0]]), undefined, 7)).toEqual([
      { kind: 'add-clsact', link: links[2], replace: false },
      { kind: 'set-filter' },
      { kind: 'add-clsact', link: links[3], replace: true },
    ]);
  });

  test('addresses come before the routes that need them, and go after', () => {
    const steps = planOpening(wanted, links, {
      addresses: ['10.99.0.1/32'],
      routes: [{ destination: '10.99.0.0/16', source: '10.99.0.1' }],
    });
    expect(steps.map(({ kind }) => kind)).toEqual([
      ...['add-address', 'add-address', 'set-route', 'set-route', 'delete-route', 'delete-address'],
    ]);
  });

  test('a device that was taken down comes up again', () => {
    const down = links.map((link) => (link.name === web ? { ...link, up: false, mtu: 9000 } : link));
    expect(planOpening(wanted, down, state)).toEqual([
      { kind: 'set-mtu', link: down[3], mtu: 1500 },
      { kind: 'set-up', link: down[3] },
    ]);
  });
});
