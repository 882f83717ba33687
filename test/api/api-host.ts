import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type Http, type HttpOptions, startHttp } from '../../src/daemon/http/start-http.ts';
import { MemoryOperations } from './memory-operations.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly body: unknown;
}

/** The real HTTP server on a socket of its own, with an engine in memory behind it. */
export class ApiHost implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vetch-api-'));
  readonly socketPath = join(this.directory, 'run', 'vetch.sock');
  readonly operations = new MemoryOperations();
  #http: Http | undefined;

  static async start(options: Partial<HttpOptions> = {}): Promise<ApiHost> {
    const host = new ApiHost();
    await host.serve(options);
    return host;
  }

  async serve(options: Partial<HttpOptions> = {}): Promise<Http> {
    const logger = pino({ level: 'silent' });
    const http = await startHttp({ operations: this.operations, socketPath: this.socketPath, logger, ...options });
    this.#http = http;
    return http;
  }

  async close(): Promise<void> {
    await this.#http?.close();
    this.#http = undefined;
  }

  /** One request; an object is sent as JSON, text as it is. */
  call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const type = text === undefined ? {} : { 'content-type': 'application/json' };
      const sent = request(
        { socketPath: this.socketPath, method, path, agent: false, headers: { ...type, ...headers } },
        (response) => {
          let received = '';
          response.setEncoding('utf8');
          response.on('data', (piece: string) => {
            received += piece;
          });
          response.on('error', reject);
          response.on('end', () => {
            const isJson = String(response.headers['content-type']).startsWith('application/json');
            const parsed: unknown = isJson && received !== '' ? JSON.parse(received) : undefined;
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text: received, body: parsed });
          });
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Waits until something holds; says what it waited for when it never does. */
export async function until(what: string, holds: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
