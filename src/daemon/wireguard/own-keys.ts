import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { VetchError } from '../../api/error.ts';
import type { OwnKey } from '../../model/wireguard.ts';
import { wireguardPorts } from '../../reconcile/desired/config.ts';
import { newPrivateKey, publicKeyOf } from './x25519.ts';

const contents = z.object({
  keys: z
    .array(
      z.object({ privateKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/), slot: z.union([z.literal(0), z.literal(1)]) }),
    )
    .min(1)
    .max(2),
});

/**
 * This host's keys, in a file that root alone reads: one, or while it is changed the old one and the new one. Every change is
 * on the disk before anybody knows of it, so that a daemon which is killed goes on where it was.
 */
export class OwnKeys {
  readonly #path: string;
  #keys: readonly OwnKey[] | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** The newest last; the first is made when it is asked for. @throws VetchError INTERNAL: the file cannot be read */
  all(): readonly OwnKey[] {
    this.#keys ??= this.#read();
    if (this.#keys.length === 0) this.#put([ownKey(newPrivateKey(), 0)]);
    return this.#keys;
  }

  /** Makes a new key beside the one that there is. */
  begin(): void {
    const [old] = this.all();
    if (old) this.#put([old, ownKey(newPrivateKey(), old.slot === 0 ? 1 : 0)]);
  }

  /** Forgets the old key, or the new one. */
  end(kept: 'new' | 'old'): void {
    const key = this.all().at(kept === 'new' ? -1 : 0);
    if (key) this.#put([key]);
  }

  #read(): OwnKey[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw this.#unreadable(error);
    }
    try {
      return contents.parse(JSON.parse(text)).keys.map(({ privateKey, slot }) => ownKey(privateKey, slot));
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  #put(keys: readonly OwnKey[]): void {
    const kept = keys.map(({ privateKey, slot }) => ({ privateKey, slot }));
    const fresh = `${this.#path}.new`;
    writeWhole(fresh, `${JSON.stringify({ keys: kept })}\n`);
    renameSync(fresh, this.#path);
    sync(dirname(this.#path));
    this.#keys = keys;
  }

  #unreadable(cause: unknown): VetchError {
    const why =
      cause instanceof z.ZodError ? 'it has another form' : String(cause instanceof Error ? cause.message : cause);
    const remedy = 'remove it, and this host makes itself a new key';
    return new VetchError('INTERNAL', `the keys in ${this.#path} cannot be read: ${why}`, remedy, { cause });
  }
}

function ownKey(privateKey: string, slot: 0 | 1): OwnKey {
  return { privateKey, publicKey: publicKeyOf(privateKey), slot, port: wireguardPorts[slot] };
}

function writeWhole(path: string, text: string): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    // One that a daemon before this one had left keeps its mode.
    fchmodSync(fd, 0o600);
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function sync(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
