import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { VetchError } from '../../api/error.ts';
import { createServer } from '../../api/node-http.ts';
import type { DockerBackend } from './backend.ts';
import { type Calls, question } from './call.ts';
import { ipamDriver } from './ipam-driver.ts';
import { networkDriver } from './network-driver.ts';
import { answers } from './schemas.ts';

/** Milliseconds until a call is answered, whatever happens: the engine itself waits for ever, holding its locks. */
const patience = 30_000;
/** Bytes; a port map of all the ports is below. */
const largestBody = 16 * 1024 * 1024;
const contentType = 'application/vnd.docker.plugins.v1.2+json';

export interface PluginOptions {
  readonly backend: DockerBackend;
  /** Told of each call that failed, and why. */
  readonly failed: (call: string, error: unknown) => void;
  /** Milliseconds; only tests are less patient. */
  readonly patience?: number;
}

/**
 * An HTTP server, not listening yet, that is Docker's network and IPAM driver. It takes what engines send: no
 * Content-Type, an empty Host. Idle connections stay open, since an engine that loses one repeats its call without a body.
 */
export function pluginServer(options: PluginOptions): Server {
  const { backend } = options;
  const calls: Calls = {
    'Plugin.Activate': question(answers.activate, { Implements: ['NetworkDriver', 'IpamDriver'] }),
    ...networkDriver(backend),
    ...ipamDriver(backend),
  };
  const server = createServer({ requireHostHeader: false, keepAlive: true }, (request, response) => {
    void serve(calls, options, request, response);
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.timeout = 0;
  return server;
}

async function serve(
  calls: Calls,
  { failed, patience: limit = patience }: PluginOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const name = (request.url ?? '/').slice(1);
  try {
    const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
    if (!call || request.method !== 'POST') {
      send(response, 404, refusal(`there is no call ${request.method} ${name}`));
      return;
    }
    const text = await bodyOf(request);
    if (text.trim() === '' && !call.bodyless) {
      throw new VetchError('INVALID', 'the request has no body', 'the connection broke: try again');
    }
    send(response, 200, await bounded(limit, name, (signal) => call.answer(call.bodyless ? {} : parse(text), signal)));
  } catch (error) {
    failed(name, error);
    const known = error instanceof VetchError;
    send(response, known && error.code !== 'INTERNAL' ? 400 : 500, refusal(sentence(error)));
  }
}

/** Network drivers' errors are in `Err`, IPAM drivers' in `Error`. */
function refusal(message: string): { readonly Err: string; readonly Error: string } {
  return { Err: message, Error: message };
}

/** One line, with what to do about it. Docker's own words come first, where it has some: scripts look for them. */
function sentence(error: unknown): string {
  if (error instanceof VetchError) return `${error.message} (${error.hint})`;
  return error instanceof Error ? error.message : String(error);
}

/** Waits no longer than `limit`: what is not done by then is not done at all. */
async function bounded<T>(limit: number, name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new VetchError('UNAVAILABLE', `${name} took longer than ${limit / 1000} s`, 'try again');
      controller.abort(error);
      reject(error);
    }, limit);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) throw new VetchError('INVALID', 'the request is too long', 'send less');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new VetchError('INVALID', 'the request is not JSON', "send what Docker's protocol says", { cause });
  }
}

function send(response: ServerResponse, status: number, answer: unknown): void {
  response.writeHead(status, { 'content-type': contentType });
  response.end(`${JSON.stringify(answer)}\n`);
}
