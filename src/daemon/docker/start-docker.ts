import type { Server } from 'node:http';
import { join } from 'node:path';
import { EngineClient } from '../../integrations/docker/engine-client.ts';
import { EngineFollower } from '../../integrations/docker/engine-follower.ts';
import { pluginServer } from '../../integrations/docker/plugin.ts';
import type { Context } from '../context.ts';
import { listenOnSocket } from '../http/socket.ts';
import { dockerBackend } from './backend.ts';
import { dockerBooks } from './books.ts';
import type { DockerPools } from './pools.ts';

/** The group of the plugin's socket: the engine is root. */
const group = 'root';

/**
 * Serves Docker's plugin where the engine looks for it, unless that is off.
 *
 * @returns what ends it: calls under way are answered, then the socket goes
 * @throws VetchError as `listenOnSocket`
 */
export async function startDocker(context: Context, pools: DockerPools): Promise<AsyncDisposable> {
  const { log, options } = context;
  if (options.dockerPlugins === 'off') return { [Symbol.asyncDispose]: async () => undefined };
  const server = pluginServer({
    backend: dockerBackend(context, pools),
    failed: (call, err) => log.warn({ err, call }, 'refused a call of Docker'),
  });
  await listenOnSocket(server, join(options.dockerPlugins, 'vetch.sock'), group);
  const follower = options.dockerEngine === 'off' ? undefined : followEngine(context, pools);
  return {
    async [Symbol.asyncDispose]() {
      await follower?.[Symbol.asyncDispose]();
      await close(server);
    },
  };
}

function followEngine(context: Context, pools: DockerPools): EngineFollower {
  const { log, options } = context;
  return new EngineFollower({
    client: new EngineClient(options.dockerEngine),
    books: dockerBooks(context, pools),
    failed: (what, err) => log.warn({ err }, `cannot ${what}`),
    log: (what, facts) => log.info(facts, what),
  });
}

/** An engine takes a broken connection for a reason to repeat itself: what it has asked is answered first. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await closed;
}
