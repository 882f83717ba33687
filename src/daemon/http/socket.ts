import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { VetchError } from '../../api/error.ts';

/** `sun_path` less its terminating zero; unix(7). */
const maxPathBytes = 107;

/**
 * Listens on a unix socket that root and `group` alone may use; root alone where there is no such group.
 *
 * The parent directory is made. A socket that a dead daemon left is replaced.
 *
 * @throws VetchError IN_USE when somebody answers there, ALREADY_EXISTS when it is something else than a socket,
 *   INVALID when the path is too long.
 */
export async function listenOnSocket(server: Server, path: string, group: string): Promise<void> {
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new VetchError(
      'INVALID',
      `socket path ${path} is longer than ${maxPathBytes} bytes`,
      'give a shorter --socket',
    );
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  await removeStale(path);
  // The bind happens within the call: nobody finds the socket with a wider mode than it will keep.
  const previous = process.umask(0o177);
  let listening: Promise<void>;
  try {
    listening = new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(previous);
  }
  await listening;
  const gid = groupId(group);
  if (gid !== undefined && process.getuid?.() === 0) chownSync(path, 0, gid);
  chmodSync(path, 0o660);
}

async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isSocket()) {
    throw new VetchError('ALREADY_EXISTS', `${path} is not a socket`, 'move it away, or give another --socket');
  }
  if (await answers(path)) {
    throw new VetchError('IN_USE', `a daemon answers on ${path}`, 'stop it first, or give another --socket');
  }
  rmSync(path, { force: true });
}

/** Only a refused connection proves that nobody listens: a busy daemon is a living one. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

/** Node has no getgrnam; groups of other sources than the file are not looked for. */
export function groupId(name: string, file = '/etc/group'): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  for (const line of text.split('\n')) {
    const [group, , gid] = line.split(':');
    if (group === name && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  }
  return undefined;
}
