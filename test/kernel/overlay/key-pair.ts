import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createNetns, withNetns } from '../../../src/netlink/netns.ts';

/** A key as WireGuard has it, in hex. */
export function keyPair(): { readonly privateKey: string; readonly publicKey: string } {
  const { d = '', x = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const hex = (text: string) => Buffer.from(text, 'base64url').toString('hex');
  return { privateKey: hex(d), publicKey: hex(x) };
}

/** Whether this kernel has WireGuard. The kernels that the tests emulate do. */
export function hasWireguard(): boolean {
  using netns = createNetns();
  return withNetns(netns, () => {
    try {
      execFileSync('ip', ['link', 'add', 'probe', 'type', 'wireguard'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}
