import { Arena } from './arena.ts';
import { type DockerLike, dockerLike } from './peers/docker-like.ts';
import { bareVeth, loopback, type RedirectedEnds, redirected, routed } from './peers/limits.ts';
import { type Path, ports } from './tools/path.ts';
import { VetchHost } from './vetch-host.ts';

/** What the rows are measured on: made when the first row needs it, and shared by those that follow. */
export class Stage implements AsyncDisposable {
  #arena: Arena | undefined;
  #vetch: Promise<VetchHost> | undefined;
  #limits: Promise<readonly Path[]> | undefined;
  readonly #redirected = new Map<RedirectedEnds, Promise<Path>>();
  #docker: Promise<DockerLike | string> | undefined;

  get arena(): Arena {
    this.#arena ??= new Arena();
    return this.#arena;
  }

  /** Our host, with its whole datapath on. */
  vetch(): Promise<VetchHost> {
    this.#vetch ??= VetchHost.create(this.arena);
    return this.#vetch;
  }

  /** The bare veth pair (the control), loopback, and the kernel's forwarding. */
  limits(): Promise<readonly Path[]> {
    this.#limits ??= (async () => [await bareVeth(this.arena), await loopback(this.arena), await routed(this.arena)])();
    return this.#limits;
  }

  /** What a program alone costs that does nothing but redirect. */
  redirected(ends: RedirectedEnds): Promise<Path> {
    const made = this.#redirected.get(ends) ?? redirected(this.arena, ends);
    this.#redirected.set(ends, made);
    return made;
  }

  /** A host as Docker would set it up, or why there is none. */
  docker(): Promise<DockerLike | string> {
    this.#docker ??= dockerLike(this.arena, ports.sockperf);
    return this.#docker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#vetch?.catch(() => undefined))?.[Symbol.asyncDispose]();
    await this.#arena?.[Symbol.asyncDispose]();
  }
}
