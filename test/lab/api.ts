import { Agent, request } from 'node:http';
import type { Host } from './host.ts';
import { slowness } from './process.ts';

/** What the daemon answers when it refuses. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  readonly code: string;
  readonly hint: string;

  constructor(status: number, { code, message, hint }: { code: string; message: string; hint: string }) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** A host's API without the start of a process for each request, on connections that are kept. */
export class Api implements Disposable {
  readonly #agent: Agent;
  readonly #socketPath: string;

  /** @param connections how many requests may be under way at once; others wait. Default: 1. */
  constructor(host: Host, connections = 1) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#socketPath = `/proc/${host.place.holder}/root${host.socket}`;
  }

  /** @throws ApiFailure when the daemon refuses; Error when it is gone. */
  async call<T = unknown>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const [status, answer] = await new Promise<[number, string]>((resolve, reject) => {
      const sent = request({
        agent: this.#agent,
        socketPath: this.#socketPath,
        method,
        path: `/v1${path}`,
        timeout: 30_000 * slowness,
        headers:
          text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      });
      sent.once('error', reject);
      sent.once('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer`)));
      sent.once('response', (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          received += piece;
        });
        response.once('error', reject);
        response.once('end', () => resolve([response.statusCode ?? 0, received]));
      });
      sent.end(text);
    });
    const value = answer === '' ? undefined : JSON.parse(answer);
    if (status >= 400) throw new ApiFailure(status, value.error);
    return value as T;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
