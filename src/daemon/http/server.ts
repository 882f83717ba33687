import type { Server } from 'node:http';
import { Readable } from 'node:stream';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { createServer } from '../../api/node-http.ts';
import type { Operations } from '../../api/operations.ts';
import { errorReply } from './errors.ts';
import { openApi } from './openapi.ts';
import type { Route } from './route.ts';
import { routes } from './routes/all.ts';
import { Streamed, toJson } from './stream.ts';

/** Bytes of a request body, unless its route says otherwise. */
const bodyLimit = 1024 * 1024;
/** Milliseconds in which a client must have sent its whole request. */
const requestTimeout = 30_000;
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/** Fastify's own would load ajv and what is about it, 105 modules: our routes judge by schemas of ours. */
const noSchemas = () => () => {
  throw new Error('a route has a schema of Fastify, which nothing here compiles');
};

export interface HttpServer {
  readonly server: Server;
  readonly app: FastifyInstance;
}

/** The whole API, not yet listening. */
export async function apiServer(operations: Operations, logger: FastifyBaseLogger): Promise<HttpServer> {
  return build(logger, (app) => {
    for (const route of routes) {
      app.route({
        method: route.method,
        url: `/v1${route.path.replace('{ref}', ':ref')}`,
        ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
        handler: (request, reply) => answer(route, operations, request, reply),
      });
    }
    const document = toJson(openApi(routes));
    app.get('/v1/openapi.json', (_, reply) => reply.type('application/json; charset=utf-8').send(document));
    addMetrics(app, operations);
  });
}

/** `/metrics` and nothing else, for TCP. */
export async function metricsServer(operations: Operations, logger: FastifyBaseLogger): Promise<HttpServer> {
  return build(logger, (app) => addMetrics(app, operations));
}

async function build(logger: FastifyBaseLogger, addRoutes: (app: FastifyInstance) => void): Promise<HttpServer> {
  const server = createServer({ requestTimeout });
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 4096 },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    serverFactory: (handler) => server.on('request', handler),
    frameworkErrors: (error, _, reply) => sendError(error, reply),
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return;
      const { body } = errorReply(Object.assign(new Error(error.message), { statusCode: 400 }));
      const text = toJson(body);
      const head = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close`;
      socket.end(`HTTP/1.1 400 Bad Request\r\n${head}\r\n\r\n${text}`);
    },
  });
  app.setReplySerializer(toJson);
  app.setErrorHandler((error, request, reply) => {
    const { status } = errorReply(error);
    if (status === 500) request.log.error({ err: error, method: request.method, url: request.url }, 'request failed');
    sendError(error, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    sendError(Object.assign(new Error(`there is no ${request.method} ${request.url}`), { statusCode: 404 }), reply);
  });
  addRoutes(app);
  await app.ready();
  return { server, app };
}

function addMetrics(app: FastifyInstance, operations: Operations): void {
  app.get('/metrics', async (_, reply) => reply.type(metricsType).send(await operations.metrics()));
}

async function answer(route: Route, operations: Operations, request: FastifyRequest, reply: FastifyReply) {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  const { params, query, body } = request;
  const result = await route.run(operations, { params, query, body, signal: left.signal });
  reply.code(route.status);
  if (result instanceof Streamed) {
    left.signal.addEventListener('abort', result.cancel, { once: true });
    if (left.signal.aborted) result.cancel();
    return reply.type(result.contentType).send(Readable.from(result.chunks, { objectMode: false }));
  }
  return route.kind === 'none' ? reply.send() : reply.type('application/json; charset=utf-8').send(toJson(result));
}

function sendError(error: unknown, reply: FastifyReply): void {
  const { status, body } = errorReply(error);
  reply.code(status).type('application/json; charset=utf-8').send(toJson(body));
}
