import type { FastifyBaseLogger } from 'fastify';
import { VetchError } from '../../api/error.ts';
import type { Operations } from '../../api/operations.ts';
import type { ListenAddress } from '../options.ts';
import { apiServer, type HttpServer, metricsServer } from './server.ts';
import { listenOnSocket } from './socket.ts';

export interface HttpOptions {
  readonly operations: Operations;
  readonly socketPath: string;
  /** Whose members may use the socket, beside root. Default `vetch`. */
  readonly group?: string;
  /** Where `/metrics` is also served, by TCP and without authentication. Port 0 takes any. */
  readonly metrics?: ListenAddress;
  readonly logger: FastifyBaseLogger;
}

export interface Http {
  /** Where `/metrics` is served by TCP, the port that was taken included. */
  readonly metrics: ListenAddress | undefined;
  /** Ends what is being answered, streams included, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves the API on a unix socket.
 *
 * @throws VetchError what `listenOnSocket` throws; IN_USE when the address for metrics is taken. Nothing listens then.
 */
export async function startHttp(options: HttpOptions): Promise<Http> {
  const { operations, socketPath, group = 'vetch', metrics, logger } = options;
  const opened: HttpServer[] = [];
  const close = async () => {
    for (const { server, app } of opened.splice(0)) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await app.close();
    }
  };
  try {
    const api = await apiServer(operations, logger);
    opened.push(api);
    await listenOnSocket(api.server, socketPath, group);
    if (!metrics) return { metrics: undefined, close };
    const extra = await metricsServer(operations, logger);
    opened.push(extra);
    return { metrics: await listenOnTcp(extra, metrics), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listenOnTcp({ server }: HttpServer, address: ListenAddress): Promise<ListenAddress> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refusal(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  const taken = server.address();
  return typeof taken === 'object' && taken !== null ? { host: taken.address, port: taken.port } : address;
}

function refusal(error: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
  const where = `${host}:${port} for metrics`;
  if (error.code === 'EADDRINUSE') {
    return new VetchError('IN_USE', `${where} is taken`, 'give another --metrics', { cause: error });
  }
  return new VetchError('INVALID', `cannot listen on ${where}: ${error.message}`, 'give another --metrics', {
    cause: error,
  });
}
