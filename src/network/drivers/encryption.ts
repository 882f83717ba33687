import type { Network } from '../../model/network.ts';
import { parseBoolean } from '../options.ts';

/** Docker's own name. */
export const encryptionOption = 'encrypted';

/** Docker gives it without a value, too. @throws BadValue */
export function parseEncrypted(value: string): boolean {
  return value === '' || parseBoolean(value);
}

/** Whether options that have been checked ask for it. */
export function asksForEncryption({ [encryptionOption]: value }: Readonly<Record<string, string>>): boolean {
  return value !== undefined && parseEncrypted(value);
}

/** Whether what a network sends from host to host is encrypted. */
export function isEncrypted({ driver, options }: Pick<Network, 'driver' | 'options'>): boolean {
  return driver === 'overlay' && asksForEncryption(options);
}
