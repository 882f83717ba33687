import { describe, expect, test } from 'vitest';
import { planned, refusal } from '../testing.ts';
import { overlayDriver } from './overlay.ts';

const overlay = (options: Record<string, string> = {}, context = {}) =>
  planned({ driver: 'overlay', options }, context);

describe('an overlay network', () => {
  test('is what a bridge network is, and spans hosts', () => {
    const network = overlay({ 'com.docker.network.bridge.enable_icc': 'false' });
    expect(overlayDriver.planNetwork(network).flags.toSorted()).toEqual([
      ...['ICC_OFF', 'MASQUERADE4', 'MASQUERADE6', 'OVERLAY', 'PRESENT'],
    ]);
    expect(overlayDriver.capabilities).toMatchObject({ devices: true, publishing: true, multiHost: true });
  });

  test('has a number that no network of one host has, the lowest free one', () => {
    const local = planned({ name: 'local' });
    const first = overlay();
    expect([local.number, first.number]).toEqual([1, 2048]);
    // One of before there were two ranges keeps its number, and nobody gets it twice.
    const old = { ...local, number: 2049, subnets: [], name: 'old' };
    const networks = [{ ...first, name: 'first' }, old];
    expect(overlay({}, { networks }).number).toBe(2050);
  });

  test('takes as much as a tunnel does, and no more', () => {
    expect(overlay().mtu).toBe(1450);
    expect(overlay({}, { tunnelMtu: 8930 }).mtu).toBe(8930);
    expect(overlay({ 'com.docker.network.driver.mtu': '1300' }, { tunnelMtu: 1450 }).mtu).toBe(1300);
    const large = { 'com.docker.network.driver.mtu': '1500' };
    expect(refusal(() => overlay(large, { tunnelMtu: 1450 }))).toMatchObject({
      ...{ code: 'INVALID', message: 'mtu 1500 is larger than the tunnel takes', hint: 'choose 1450 or less' },
    });
    expect(overlay(large).mtu).toBe(1500);
  });

  test.each([
    ['com.docker.network.host_ipv4', '192.0.2.1', /is not supported by an overlay network/],
    ['com.docker.network.bridge.gateway_mode_ipv4', 'routed', /is not supported by an overlay network/],
    ['com.docker.network.driver.overlay.vxlanid_list', '4097', /is not supported by an overlay network/],
  ])('refuses %s=%s in one line', (name, value, message) => {
    expect(refusal(() => overlay({ [name]: value }))).toMatchObject({
      ...{ code: 'UNSUPPORTED', message: expect.stringMatching(message) },
    });
  });

  test('that is encrypted says so, and takes less', () => {
    for (const value of ['', 'true', '1']) {
      const network = overlay({ encrypted: value }, { tunnelMtu: 1450, encryptedMtu: 1370 });
      expect(network.mtu).toBe(1370);
      expect(overlayDriver.planNetwork(network).flags).toContain('ENCRYPTED');
    }
    expect(overlay({ encrypted: '' }).mtu).toBe(1370);
    const large = { encrypted: '', 'com.docker.network.driver.mtu': '1450' };
    expect(refusal(() => overlay(large, { tunnelMtu: 1450, encryptedMtu: 1370 }))).toMatchObject({
      ...{ code: 'INVALID', message: 'mtu 1450 is larger than the encrypted tunnel takes' },
    });
    expect(overlayDriver.planNetwork(overlay({ encrypted: 'false' })).flags).not.toContain('ENCRYPTED');
    expect(refusal(() => overlay({ encrypted: 'maybe' }))).toMatchObject({ code: 'INVALID' });
  });

  test('takes encrypted=false, and both ways of publishing', () => {
    expect(overlay({ encrypted: 'false', 'vetch.publish': 'host' }).driver).toBe('overlay');
    expect(overlay({ 'vetch.publish': 'cluster' }).driver).toBe('overlay');
    overlayDriver.checkEndpointOptions({ 'vetch.publish': 'cluster' });
    expect(refusal(() => overlay({ 'vetch.publish': 'node' }))).toMatchObject({ hint: 'use host or cluster' });
    expect(overlay({ 'vetch.publish': 'cluster', 'vetch.publish.return': 'direct' }).driver).toBe('overlay');
    overlayDriver.checkEndpointOptions({ 'vetch.publish.return': 'translated' });
    expect(refusal(() => overlayDriver.checkEndpointOptions({ 'vetch.publish.return': 'dsr' }))).toMatchObject({
      ...{ code: 'INVALID', hint: 'use translated or direct' },
    });
    expect(refusal(() => overlay({ 'vetch.publish.return': 'direct' }))).toMatchObject({ code: 'INVALID' });
  });
});
