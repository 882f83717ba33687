import { type ClientHttp2Session, connect, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface EtcdProxyOptions {
  /** What becomes of watches: they end at once, or nothing ever comes. */
  readonly watches?: 'end' | 'hang';
  /** Of what etcd answers, a second. */
  readonly bytesPerSecond?: number;
}

/** A member of etcd as it is reached over a poor link. */
export class EtcdProxy implements AsyncDisposable {
  readonly #server: Http2Server;
  readonly #member: ClientHttp2Session;
  readonly #options: EtcdProxyOptions;
  readonly #sessions = new Set<{ destroy(): void }>();

  private constructor(member: string, options: EtcdProxyOptions) {
    this.#options = options;
    this.#member = connect(`http://${member}`);
    this.#server = createServer();
    this.#server.on('session', (session) => this.#sessions.add(session));
    this.#server.on('stream', (stream, headers) => {
      const path = String(headers[':path']);
      stream.on('error', () => undefined);
      if (path.endsWith('/Watch') && options.watches) this.#refuse(stream, options.watches);
      else this.#pass(stream, path, headers);
    });
  }

  static async start(member: string, options: EtcdProxyOptions): Promise<EtcdProxy> {
    const proxy = new EtcdProxy(member, options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #refuse(stream: ServerHttp2Stream, how: 'end' | 'hang'): void {
    const type = { 'content-type': 'application/grpc' };
    if (how === 'hang') stream.respond({ ':status': 200, ...type });
    else stream.respond({ ':status': 200, ...type, 'grpc-status': '14' }, { endStream: true });
  }

  #pass(stream: ServerHttp2Stream, path: string, headers: object): void {
    const inner = this.#member.request({ ...headers, ':path': path, ':authority': 'member' });
    stream.pipe(inner);
    stream.on('close', () => inner.close());
    inner.on('error', () => stream.close());
    inner.on('response', (answer) => {
      stream.respond(answer, { waitForTrailers: true });
      let trailers = {};
      inner.on('trailers', (those) => {
        trailers = those;
      });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      void this.#send(inner, stream);
    });
  }

  async #send(from: AsyncIterable<Buffer>, to: ServerHttp2Stream): Promise<void> {
    const { bytesPerSecond } = this.#options;
    try {
      for await (const chunk of from) {
        if (bytesPerSecond) await sleep((chunk.length / bytesPerSecond) * 1_000);
        if (to.closed) return;
        to.write(chunk);
      }
      to.end();
    } catch {
      to.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#member.destroy();
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
