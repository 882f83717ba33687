import type { Server } from 'node:http';
import { join } from 'node:path';
import { pluginServer } from '../../integrations/docker/plugin.ts';
import type { Context } from '../context.ts';
import { listenOnSocket } from '../http/socket.ts';
import { dockerBackend } from './backend.ts';
import { DockerPools } from './pools.ts';

/** The group of the plugin's socket: the engine is root. */
const group = 'root';

/**
 * Serves Docker's plugin where the engine looks for it, unless that is off.
 *
 * @returns what ends it: calls under way are answered, then the socket goes
 * @throws VetchError as `listenOnSocket`
 */
export async function startDocker(context: Context): Promise<AsyncDisposable> {
  const { log, options } = context;
  if (options.dockerPlugins === 'off') return { [Symbol.asyncDispose]: async () => undefined };
  const pools = await DockerPools.load(context);
  const server = pluginServer({
    backend: dockerBackend(context, pools),
    failed: (call, err) => log.warn({ err, call }, 'refused a call of Docker'),
  });
  await listenOnSocket(server, join(options.dockerPlugins, 'vetch.sock'), group);
  return { [Symbol.asyncDispose]: () => close(server) };
}

/** An engine takes a broken connection for a reason to repeat itself: what it has asked is answered first. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await closed;
}
