import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientDuplexStream, Client as Grpc, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { channelOptions, credentialsOf } from './channel.ts';
import { AwayError, isCallFailure, isOldToken, isTransient, reasonOf } from './failure.ts';
import type { EtcdAccess, EtcdTimes } from './options.ts';
import { methods } from './protocol.ts';

/**
 * Calls to whichever member of etcd answers. Every call has a deadline; a member that fails is left for the next one, and
 * tried again when its turn comes.
 */
export class EtcdClient {
  readonly times: EtcdTimes;
  readonly #access: EtcdAccess;
  readonly #members: readonly Grpc[];
  #current = 0;
  #token: Promise<string> | undefined;
  #closed = false;

  constructor(access: EtcdAccess, times: EtcdTimes) {
    this.#access = access;
    this.times = times;
    const credentials = credentialsOf(access.tls);
    this.#members = access.endpoints.map((endpoint) => new Grpc(endpoint, credentials, channelOptions));
  }

  get endpoints(): readonly string[] {
    return this.#access.endpoints;
  }

  /** The member that is asked. */
  get endpoint(): string {
    return this.#access.endpoints[this.#current] ?? '';
  }

  /**
   * One call, tried again until it is answered or `milliseconds` have passed. A call that is not answered may have been
   * carried out, also several times.
   *
   * @throws VetchError UNAVAILABLE; CallFailure: etcd refuses, and another attempt would not help
   */
  async call<Request extends object, Response extends object>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    milliseconds: number = this.times.call,
  ): Promise<Response> {
    const end = Date.now() + milliseconds;
    let pause = this.times.pause;
    for (let failures = 0; ; ) {
      const member = this.#current;
      try {
        return await this.#attempt(member, method, request, Math.min(end, Date.now() + this.times.attempt));
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.leave(member);
        failures++;
        if (this.#closed || Date.now() + pause >= end)
          throw new AwayError(`${this.#access.endpoints[member]}: ${reasonOf(error)}`, error);
      }
      if (failures % this.#members.length !== 0) continue;
      await sleep(pause);
      pause = Math.min(2 * pause, this.times.longestPause);
    }
  }

  /** One request on a stream, and its answer. @throws CallFailure, Error */
  async exchange<Request extends object, Response extends object>(
    method: MethodDefinition<Request, Response>,
    request: Request,
  ): Promise<Response> {
    const { stream, member } = await this.stream(method);
    const timer = setTimeout(() => stream.cancel(), this.times.attempt);
    try {
      return await new Promise<Response>((resolve, reject) => {
        stream.once('data', resolve);
        stream.once('end', () => reject(new AwayError(`${this.endpoint} ended the call`)));
        stream.on('error', reject);
        stream.write(request);
      });
    } catch (error) {
      this.leave(member);
      throw error;
    } finally {
      clearTimeout(timer);
      stream.end();
      stream.cancel();
    }
  }

  /** A stream to the current member, and which one that is: for {@link leave}. It has no deadline. */
  async stream<Request extends object, Response extends object>(
    method: MethodDefinition<Request, Response>,
  ): Promise<{ readonly stream: ClientDuplexStream<Request, Response>; readonly member: number }> {
    const member = this.#current;
    const metadata = await this.#metadata(member, Date.now() + this.times.attempt);
    // A member that has lost its leader ends the stream, in the place of saying nothing for ever.
    metadata.set('hasleader', 'true');
    const { path, requestSerialize, responseDeserialize } = method;
    const stream = this.#member(member).makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    return { stream, member };
  }

  /** Another member is asked from now on, unless that has happened already. */
  leave(member: number): void {
    if (member === this.#current) this.#current = (member + 1) % this.#members.length;
  }

  /** The next call logs in again. */
  forgetToken(): void {
    this.#token = undefined;
  }

  /** Calls under way end with a failure. */
  close(): void {
    this.#closed = true;
    for (const member of this.#members) member.close();
  }

  async #attempt<Request extends object, Response extends object>(
    member: number,
    method: MethodDefinition<Request, Response>,
    request: Request,
    deadline: number,
  ): Promise<Response> {
    const metadata = await this.#metadata(member, deadline);
    try {
      return await this.#unary(member, method, request, metadata, deadline);
    } catch (error) {
      if (!this.#access.login || !isOldToken(error)) throw error;
      this.forgetToken();
    }
    return this.#unary(member, method, request, await this.#metadata(member, deadline), deadline);
  }

  async #metadata(member: number, deadline: number): Promise<Metadata> {
    const metadata = new Metadata();
    const { login } = this.#access;
    if (!login) return metadata;
    this.#token ??= this.#logIn(member, login, deadline);
    const token = await this.#token;
    if (token !== '') metadata.set('token', token);
    return metadata;
  }

  /** @returns the token; empty where etcd asks nobody who he is */
  async #logIn(
    member: number,
    { user, password }: NonNullable<EtcdAccess['login']>,
    deadline: number,
  ): Promise<string> {
    try {
      const request = { name: user, password };
      return (await this.#unary(member, methods.authenticate, request, new Metadata(), deadline)).token;
    } catch (error) {
      if (isCallFailure(error) && error.details.includes('authentication is not enabled')) return '';
      this.forgetToken();
      throw error;
    }
  }

  #unary<Request extends object, Response extends object>(
    member: number,
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
    request: Request,
    metadata: Metadata,
    deadline: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#member(member).makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline },
        (error, response) => {
          if (response) resolve(response);
          else reject(error ?? new Error('etcd answered with nothing'));
        },
      );
    });
  }

  #member(index: number): Grpc {
    const member = this.#members[index];
    if (!member) throw new Error('etcd has no endpoints');
    return member;
  }
}
