import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OwnKeys } from '../../src/daemon/wireguard/own-keys.ts';
import { newPrivateKey, publicKeyOf } from '../../src/daemon/wireguard/x25519.ts';
import { formatAddress, parseAddress } from '../../src/model/address.ts';
import { innerAddress } from '../../src/model/wireguard.ts';
import { withNetns } from '../../src/netlink/netns.ts';
import { WireguardControl } from '../../src/netlink/wireguard-control.ts';
import { Encryption } from '../../src/reconcile/encryption/encryption.ts';
import { World } from './support.ts';

// The devices that encrypt, in a network namespace: what is amiss with them is told.

const probe = WireguardControl.open();
probe?.close();
const lacking = 'this kernel has no WireGuard; those of test/kernels do';
const tunnel = { address: parseAddress('192.0.2.1'), mtu: 1450, encryptedMtu: 1360, wireguardMtu: 1440 };

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vetch-encryption-'));
  path = join(directory, 'wireguard-keys');
});
afterEach(() => rmSync(directory, { recursive: true }));

function encryptionIn(world: World): Encryption {
  const keys = new OwnKeys(path);
  const open = () => WireguardControl.open(world.host);
  return new Encryption(world.inHost, { open, keys: () => keys.all(), inAdvance: true });
}

test('keys that cannot be read are told of, where networks are encrypted and where none is yet', ({ skip }) => {
  skip(!probe, lacking);
  writeFileSync(path, '{');
  using world = new World();
  const encryption = encryptionIn(world);
  expect(encryption.published()).toEqual([]);
  const problem = { what: expect.stringContaining(path), remedy: expect.stringContaining('remove it') };
  expect(encryption.problem).toEqual(problem);
  expect(() => encryption.ensure(true, tunnel)).toThrow(path);
  expect([encryption.devices, encryption.published(), encryption.problem]).toEqual([[], [], problem]);
  rmSync(path);
  const next = encryptionIn(world);
  expect([next.ensure(true, tunnel), next.problem]).toEqual([true, undefined]);
  next.close();
  encryption.close();
});

test('a device that the kernel does not give is told of until it does', ({ skip }) => {
  skip(!probe, lacking);
  using world = new World();
  const encryption = encryptionIn(world);
  const tooLarge = { ...tunnel, wireguardMtu: 2 ** 31 - 1 };
  expect(() => encryption.ensure(true, tooLarge)).toThrow();
  expect(encryption.problem?.what).toMatch(/^networks cannot be encrypted here: cannot create /);
  expect([encryption.ensure(true, tunnel), encryption.problem]).toEqual([true, undefined]);
  encryption.close();
});

test('nothing is sent to a host by a key that is also this one’s, and what it has else is used', ({ skip }) => {
  skip(!probe, lacking);
  using world = new World();
  const encryption = encryptionIn(world);
  encryption.ensure(true, tunnel);
  withNetns(world.host, () => encryption.open());
  const own = encryption.published()[0]?.publicKey ?? '';
  const other = publicKeyOf(newPrivateKey());
  const [twin, key] = [own, other].map((publicKey) => ({ publicKey, port: 51_871 }));
  if (!twin || !key) throw new Error('no key');
  expect(encryption.of({ wireguard: [twin] })).toEqual({});
  const { to = new Uint8Array() } = encryption.of({ wireguard: [twin, key] });
  expect(formatAddress(to)).toBe(formatAddress(innerAddress(other)));
  encryption.close();
});

test('peers that the kernel refuses are told of, and those that it has not taken for them are no drift', ({ skip }) => {
  skip(!probe, lacking);
  using world = new World();
  const encryption = encryptionIn(world);
  encryption.ensure(true, tunnel);
  withNetns(world.host, () => encryption.open());
  const node = (number: number, publicKey: string) => {
    return {
      name: `h${number}`,
      number,
      tunnel: `192.0.2.${number}`,
      wireguard: [{ publicKey, port: 51_871 }],
      addresses: [],
    };
  };
  const good = node(3, publicKeyOf(newPrivateKey()));
  expect(() => encryption.syncPeers([node(2, 'YWJj'), good])).toThrow(/^cannot configure WireGuard device /);
  expect(encryption.problem?.what).toMatch(/^networks cannot be encrypted here: cannot configure /);
  expect([encryption.ensure(true, tunnel), encryption.problem]).toEqual([false, undefined]);
  expect([encryption.syncPeers([good]), encryption.syncPeers([good])]).toEqual([0, 0]);
  encryption.close();
});
