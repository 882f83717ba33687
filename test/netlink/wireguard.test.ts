import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { newPrivateKey, publicKeyOf } from '../../src/daemon/wireguard/x25519.ts';
import { parseAddress } from '../../src/model/address.ts';
import { innerAddress } from '../../src/model/wireguard.ts';
import type { WireguardPeer } from '../../src/netlink/wireguard.ts';
import { WireguardControl } from '../../src/netlink/wireguard-control.ts';
import { thrownBy, World, waitFor } from './support.ts';

const probe = WireguardControl.open();
probe?.close();
const lacking = 'this kernel has no WireGuard; those of test/kernels do';

const peer = (address: string, port: number, publicKey = publicKeyOf(newPrivateKey())): WireguardPeer => {
  const endpoint = { address: parseAddress(address), port };
  return { publicKey, endpoint, allowed: innerAddress(publicKey), keepalive: 25 };
};

/** A device, down, in the world's host. */
function deviceIn(world: World, control: WireguardControl, port = 51_871) {
  const ifindex = world.inHost.createLink({ name: 'vetchwg0', kind: 'wireguard', mtu: 1440 });
  const privateKey = newPrivateKey();
  control.set(ifindex, { privateKey, port });
  return { ifindex, privateKey };
}

function open(world: World, netns = world.host): WireguardControl {
  const control = WireguardControl.open(netns);
  if (!control) throw new Error('no WireGuard');
  return control;
}

test('a kernel without WireGuard says so by having no such family', ({ skip }) => {
  skip(probe !== undefined, 'this kernel has WireGuard');
  using world = new World();
  expect(WireguardControl.open(world.host)).toBeUndefined();
});

test('a device has the key and the port that it was given, and the public half that we compute', ({ skip }) => {
  skip(!probe, lacking);
  using world = new World();
  using control = open(world);
  const { ifindex, privateKey } = deviceIn(world, control);
  expect(control.get(ifindex)).toEqual({
    ...{ privateKey, publicKey: publicKeyOf(privateKey), port: 51_871, peers: new Map() },
  });
  expect(world.inHost.link(ifindex)).toMatchObject({ kind: 'wireguard', mtu: 1440, ethernet: false, up: false });
});

test('a thousand peers are added, each is what was asked for, and some are changed and removed', ({ skip }) => {
  skip(!probe, lacking);
  using world = new World();
  using control = open(world);
  const { ifindex } = deviceIn(world, control);
  const peers = Array.from({ length: 1_000 }, (_, i) => {
    const key = randomBytes(32).toString('base64');
    return peer(i % 2 === 0 ? `192.0.2.${i % 250}` : `2001:db8::${(i + 1).toString(16)}`, 1000 + i, key);
  });
  control.set(ifindex, { peers });
  const found = control.get(ifindex)?.peers;
  expect(found?.size).toBe(1_000);
  const [first, second, third] = peers;
  if (!first || !second || !third) throw new Error('no peers');
  expect(found?.get(second.publicKey)).toMatchObject({
    ...{ endpoint: '2001:db8::2 1001', keepalive: 25, lastHandshake: 0, rxBytes: 0 },
    allowed: [expect.stringMatching(/^fd.*\/128$/)],
  });
  control.set(ifindex, {
    peers: [
      { publicKey: first.publicKey, remove: true },
      { ...third, keepalive: 5 },
    ],
  });
  const after = control.get(ifindex)?.peers;
  expect(after?.size).toBe(999);
  expect(after?.has(first.publicKey)).toBe(false);
  expect(after?.get(third.publicKey)).toMatchObject({ keepalive: 5, endpoint: '192.0.2.2 1002' });
});

test('two devices that know each other agree upon a session without anybody sending, and count what passes', async ({
  skip,
}) => {
  skip(!probe, lacking);
  using world = new World();
  using here = open(world);
  using there = open(world, world.box);
  const { index, peerIndex } = world.veth();
  world.inHost.addAddress(index, '198.51.100.1/24');
  world.inBox.addAddress(peerIndex, '198.51.100.2/24');
  world.inHost.setLink(index, { up: true });
  world.inBox.setLink(peerIndex, { up: true });
  const own = deviceIn(world, here);
  const other = { ifindex: world.inBox.createLink({ name: 'wg', kind: 'wireguard' }), privateKey: newPrivateKey() };
  there.set(other.ifindex, { privateKey: other.privateKey, port: 51_872 });
  here.set(own.ifindex, { peers: [peer('198.51.100.2', 51_872, publicKeyOf(other.privateKey))] });
  there.set(other.ifindex, { peers: [peer('198.51.100.1', 51_871, publicKeyOf(own.privateKey))] });
  world.inHost.setLink(own.ifindex, { up: true });
  world.inBox.setLink(other.ifindex, { up: true });
  const seen = () => here.get(own.ifindex)?.peers.get(publicKeyOf(other.privateKey));
  await waitFor(() => (seen()?.lastHandshake ?? 0) > 0);
  expect(Math.abs((seen()?.lastHandshake ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(seen()?.rxBytes).toBeGreaterThan(0);
  expect(seen()?.txBytes).toBeGreaterThan(0);
});

test('a port that another socket has is refused when the device comes up, and what is no such device is not found', ({
  skip,
}) => {
  skip(!probe, lacking);
  using world = new World();
  using control = open(world);
  const first = deviceIn(world, control);
  world.inHost.setLink(first.ifindex, { up: true });
  const second = world.inHost.createLink({ name: 'vetchwg1', kind: 'wireguard' });
  control.set(second, { privateKey: newPrivateKey(), port: 51_871 });
  expect(thrownBy(() => world.inHost.setLink(second, { up: true }))).toMatchObject({ code: 'EADDRINUSE' });
  expect(control.get(world.inHost.link('lo')?.index ?? 0)).toBeUndefined();
  expect(control.get(99_999)).toBeUndefined();
});
