import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { VetchError } from '../api/error.ts';
import { createServer } from '../api/node-http.ts';
import type { ResolverView } from '../api/schemas/resolver.ts';

/**
 * Says how the resolver is, on a unix socket, as JSON at `/v1/status`. Whoever may read the socket's directory and is of
 * our group may ask.
 *
 * @throws VetchError IN_USE: another resolver answers there
 */
export async function serveStatus(path: string, view: () => ResolverView): Promise<() => Promise<void>> {
  if (await answers(path)) {
    throw new VetchError('IN_USE', `a resolver answers on ${path}`, 'stop it first, or give another --run');
  }
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path);
  const server = createServer((request, response) => {
    const isAsked = request.method === 'GET' && request.url === '/v1/status';
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'application/json' });
    response.end(isAsked ? JSON.stringify(view()) : '{"error":{"code":"NOT_FOUND","message":"","hint":""}}');
  });
  const previous = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(previous);
  }
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
