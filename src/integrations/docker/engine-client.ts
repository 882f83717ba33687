import type { ClientRequest, IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { VetchError } from '../../api/error.ts';
import { request } from '../../api/node-http.ts';

/** Milliseconds; an engine that starts accepts connections, and answers when it is up. */
const patience = 10_000;

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const texts = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** Of `GET /info`: what tells one engine from another. */
const info = z.looseObject({ ID: z.string().min(1) });

/** Of `GET /networks` and `GET /networks/ID`; a list has no containers before engine 1.28's API, nor after it. */
const network = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Labels: texts,
  /** By the container's id; of an endpoint in no sandbox, by `ep-` and its own. */
  Containers: z
    .record(z.string(), z.looseObject({ EndpointID: text }))
    .nullish()
    .transform((value) => value ?? {}),
});
export type EngineNetwork = z.output<typeof network>;

/** Of `GET /containers/json`, which takes no container's lock, as inspecting one does. */
const container = z.looseObject({
  Id: z.string(),
  Names: z.array(z.string()),
  Image: text,
  Labels: texts,
  State: text,
  HostConfig: z
    .looseObject({ NetworkMode: text })
    .nullish()
    .transform((value) => value ?? { NetworkMode: '' }),
});
export type EngineContainer = z.output<typeof container>;

/** Of `GET /containers/ID/json`. */
const inspected = z.looseObject({
  Id: z.string(),
  State: z.looseObject({ Running: z.boolean(), Pid: z.int() }),
});
export type InspectedContainer = z.output<typeof inspected>;

const event = z.looseObject({
  Type: text,
  Action: text,
  Actor: z.looseObject({ ID: text, Attributes: texts }),
});
export type EngineEvent = z.output<typeof event>;

/** The few things that are asked of an engine, on its socket. */
export class EngineClient {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async id(): Promise<string> {
    return (await this.#get('/info', info)).ID;
  }

  networks(): Promise<EngineNetwork[]> {
    return this.#get('/networks', z.array(network));
  }

  /** undefined: there is none any more. */
  network(id: string): Promise<EngineNetwork | undefined> {
    return this.#getIfThere(`/networks/${id}`, network);
  }

  containers(filter: { readonly id?: string } = {}): Promise<EngineContainer[]> {
    const filters = filter.id === undefined ? '' : `&filters=${encode({ id: [filter.id] })}`;
    return this.#get(`/containers/json?all=1${filters}`, z.array(container));
  }

  /** Takes the container's lock. undefined: there is none any more. */
  inspect(id: string): Promise<InspectedContainer | undefined> {
    return this.#getIfThere(`/containers/${id}/json`, inspected);
  }

  /** What happens to containers and networks, from now on; ends with the engine, or when `signal` is aborted. */
  async *events(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const filters = encode({ type: ['container', 'network'] });
    const response = await this.#open(`/events?filters=${filters}`, signal);
    for await (const line of createInterface({ input: response })) {
      const parsed = event.safeParse(parseJson(line));
      if (parsed.success) yield parsed.data;
    }
  }

  async #getIfThere<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema> | undefined> {
    try {
      return await this.#get(path, schema);
    } catch (error) {
      if (error instanceof VetchError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    const signal = AbortSignal.timeout(patience);
    const response = await this.#open(path, signal);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return schema.parse(parseJson(Buffer.concat(chunks).toString('utf8')));
  }

  #open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked: ClientRequest = request({ socketPath: this.#socket, path, signal, headers: { host: 'docker' } });
      asked.on('error', reject);
      asked.on('response', (response) => {
        const { statusCode = 0 } = response;
        if (statusCode === 200) {
          resolve(response);
          return;
        }
        response.resume();
        const code = statusCode === 404 ? 'NOT_FOUND' : 'UNAVAILABLE';
        reject(new VetchError(code, `the engine answers ${path} with ${statusCode}`, 'look into its log'));
      });
      asked.end();
    });
  }
}

function encode(filters: Readonly<Record<string, readonly string[]>>): string {
  return encodeURIComponent(JSON.stringify(filters));
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
