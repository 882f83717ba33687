import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';

/** What comes before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** A new private key, base64, with the bits set that RFC 7748 sets: as the kernel keeps it. */
export function newPrivateKey(): string {
  const key = randomBytes(32);
  key[0] = (key[0] ?? 0) & 0xf8;
  key[31] = ((key[31] ?? 0) & 0x7f) | 0x40;
  return key.toString('base64');
}

/** The public half, base64. */
export function publicKeyOf(privateKey: string): string {
  const der = Buffer.concat([pkcs8, Buffer.from(privateKey, 'base64')]);
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  });
  return Buffer.from(x, 'base64url').toString('base64');
}
