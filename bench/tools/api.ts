import { Agent, request } from 'node:http';
import type { Host } from '../../test/lab/host.ts';

/** The daemon's API without a process a call, as engines use it. */
export class Api implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(host: Host) {
    // The lab's /run is its own
    this.#socketPath = `/proc/${host.place.holder}/root${host.socket}`;
  }

  /** @throws Error for a status of 400 and above, with what the daemon says. */
  call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const sent = request({ socketPath: this.#socketPath, agent: this.#agent, method, path, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => {
          if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${text}`));
          else resolve((text === '' ? undefined : JSON.parse(text)) as T);
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
