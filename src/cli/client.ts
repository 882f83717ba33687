import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../api/error.ts';
import { request } from '../api/node-http.ts';
import { exitStatus, Failure } from './failure.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Values of a query string; a list is the same name several times. */
export type Query = Readonly<Record<string, string | number | boolean | readonly (string | number)[] | undefined>>;

/** Talks to the daemon over its socket. Every refusal is thrown as the `Failure` that the user is shown. */
export class Client {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Gives the response as the daemon sent it; `undefined` where it has no body. */
  async call<Response>(method: Method, path: string, query: Query = {}, body?: unknown): Promise<Response> {
    const response = await this.#send(method, path, query, body);
    let text = '';
    try {
      for await (const piece of response) text += piece;
    } catch (error) {
      throw this.#broken(error);
    }
    return parse(text) as Response;
  }

  /** One parsed line after the other, until the daemon ends or whoever asks stops asking. */
  async *lines<Line>(path: string, query: Query): AsyncGenerator<Line> {
    const response = await this.#send('GET', path, query);
    let rest = '';
    try {
      for await (const piece of response) {
        const lines = (rest + piece).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield checked(parse(line)) as Line;
      }
    } catch (error) {
      throw error instanceof Failure ? error : this.#broken(error);
    } finally {
      response.destroy();
    }
  }

  async #send(method: Method, path: string, query: Query, body?: unknown): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        socketPath: this.socketPath,
        method,
        path: `/v1${path}${queryString(query)}`,
        // One request a process: nothing is gained by keeping the connection, which would keep the process alive.
        agent: false,
        headers:
          text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      });
      sent.once('response', resolve);
      sent.once('error', (error: NodeJS.ErrnoException) => reject(this.#unreachable(error)));
      sent.end(text);
    });
    response.setEncoding('utf8');
    if (response.statusCode !== undefined && response.statusCode < 300) return response;
    let refusal = '';
    for await (const piece of response) refusal += piece;
    checked(parse(refusal));
    throw new Failure('INTERNAL', `${this.socketPath} answered ${response.statusCode}`, 'is it the daemon of vetch?');
  }

  #unreachable(error: NodeJS.ErrnoException): Failure {
    const path = this.socketPath;
    switch (error.code) {
      case 'ENOENT':
      case 'ECONNREFUSED':
      case 'ENOTSOCK':
      case 'ENOTDIR':
        return new Failure(
          'UNAVAILABLE',
          `no daemon answers on ${path}`,
          'start it with systemctl start vetch or vetch daemon, or name its socket with --socket',
          exitStatus.noDaemon,
        );
      case 'EACCES':
      case 'EPERM':
        return new Failure('UNAVAILABLE', `no permission to use ${path}`, 'run as root or as a member of group vetch');
      default:
        return this.#broken(error);
    }
  }

  #broken(error: unknown): Failure {
    const reason = error instanceof Error ? error.message : String(error);
    return new Failure(
      'UNAVAILABLE',
      `the daemon on ${this.socketPath} broke off: ${reason}`,
      "see the daemon's log, then try again",
      exitStatus.noDaemon,
    );
  }
}

/** A REF as one segment of a path. */
export function segment(ref: string): string {
  // A segment of dots would be resolved away, as in a file's path.
  return ref === '.' || ref === '..' ? ref.replaceAll('.', '%2E') : encodeURIComponent(ref);
}

function queryString(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(
      'INTERNAL',
      'the daemon sent what is not JSON',
      'is it the daemon of vetch, and of this version?',
    );
  }
}

/** Throws what the daemon reported as an error; everything else passes. */
function checked(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('error' in value)) return value;
  const { error } = value;
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return value;
  const hint = 'hint' in error ? String(error.hint) : '';
  throw new Failure(error.code as ErrorCode, String(error.message), hint);
}
