import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Background, must } from './process.ts';

interface Member {
  readonly name: string;
  readonly client: string;
  readonly command: readonly string[];
  process: Background;
}

export interface EtcdOptions {
  /** Default: 1. */
  readonly count?: number;
  /** Where they run; default: here, on loopback. */
  readonly machine?: { readonly address4: string; command(command: readonly string[]): string[] };
  /** Of the processor, before what else runs on this machine; default: like all. Only root may. */
  readonly first?: boolean;
  /** Clients speak TLS, and show a certificate themselves. */
  readonly tls?: TlsFiles;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Debian's etcd, as many members as are asked for, each with a directory of its own. */
export class EtcdServers implements AsyncDisposable {
  readonly #directory: string;
  readonly #members: readonly Member[];

  readonly #within: (command: readonly string[]) => readonly string[];
  readonly #clientFlags: readonly string[];

  private constructor(
    directory: string,
    members: readonly Member[],
    within: (command: readonly string[]) => readonly string[],
    flags: readonly string[],
  ) {
    this.#directory = directory;
    this.#members = members;
    this.#within = within;
    this.#clientFlags = flags;
  }

  /** Resolves when they answer. */
  static async start({ count = 1, machine, first = false, tls }: EtcdOptions = {}): Promise<EtcdServers> {
    const directory = mkdtempSync(join(tmpdir(), 'vetch-etcd-'));
    const address = machine?.address4 ?? '127.0.0.1';
    const within = (command: readonly string[]) => machine?.command(command) ?? command;
    const ports = machine ? Array.from({ length: 2 * count }, (_, i) => 2379 + i) : await freePorts(2 * count);
    const names = Array.from({ length: count }, (_, i) => `m${i}`);
    const peer = (i: number) => `http://${address}:${ports[2 * i + 1]}`;
    const cluster = names.map((name, i) => `${name}=${peer(i)}`).join(',');
    const members = names.map((name, i): Member => {
      const client = `${address}:${ports[2 * i]}`;
      const url = `${tls ? 'https' : 'http'}://${client}`;
      const command = [
        ...(first ? ['nice', '-n', '-10'] : []),
        ...['etcd', '--name', name, '--data-dir', join(directory, name), '--logger', 'zap', '--log-level', 'error'],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', peer(i), '--initial-advertise-peer-urls', peer(i)],
        ...['--initial-cluster', cluster, '--initial-cluster-state', 'new', ...serverFlags(tls)],
      ];
      return { name, client, command, process: new Background(within(command)) };
    });
    const servers = new EtcdServers(directory, members, within, clientFlags(tls));
    try {
      await servers.healthy();
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
    return servers;
  }

  get count(): number {
    return this.#members.length;
  }

  /** Of the members' clients, `HOST:PORT` each. */
  get endpoints(): readonly string[] {
    return this.#members.map(({ client }) => client);
  }

  /** Waits until the members that run answer. */
  async healthy(): Promise<void> {
    const running = this.#members.filter(({ process }) => process.running).map(({ client }) => client);
    const late = Date.now() + 30_000;
    for (;;) {
      try {
        await this.#etcdctl(running, 'endpoint', 'health');
        return;
      } catch (error) {
        if (Date.now() > late) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** @returns what it printed */
  etcdctl(...args: readonly string[]): Promise<string> {
    const running = this.#members.filter(({ process }) => process.running).map(({ client }) => client);
    return this.#etcdctl(running, ...args);
  }

  #etcdctl(endpoints: readonly string[], ...args: readonly string[]): Promise<string> {
    const command = ['etcdctl', '--endpoints', endpoints.join(','), ...this.#clientFlags, ...args];
    return must(this.#within(command), { env: { ETCDCTL_API: '3' } });
  }

  /** Has all keys that begin so outlive their leases, within one change. @returns how many there are */
  async outliveLeases(...prefixes: readonly string[]): Promise<number> {
    const text = await this.etcdctl('get', '--prefix', '', '--write-out', 'json');
    const { kvs } = JSON.parse(text) as { kvs: readonly { readonly key: string; readonly value: string }[] };
    const puts = kvs
      .map(({ key, value }) => [key, value].map((part) => Buffer.from(part, 'base64').toString()))
      .filter(([key = '']) => prefixes.some((prefix) => key.startsWith(prefix)))
      .map(([key, value]) => `put ${key} ${JSON.stringify(value)}\n`);
    const running = this.#members.filter(({ process }) => process.running).map(({ client }) => client);
    const command = ['etcdctl', '--endpoints', running.join(','), ...this.#clientFlags, 'txn'];
    await must(this.#within(command), { env: { ETCDCTL_API: '3' }, input: `\n${puts.join('')}\n\n` });
    return puts.length;
  }

  /** Index of the member that leads. */
  async leader(): Promise<number> {
    const text = await this.etcdctl('endpoint', 'status', '--write-out', 'json');
    const states = JSON.parse(text) as {
      Endpoint: string;
      Status: { leader: number; header: { member_id: number } };
    }[];
    const leading = states.find(({ Status }) => Status.leader === Status.header.member_id);
    return this.#members.findIndex(({ client }) => client === leading?.Endpoint);
  }

  async revision(): Promise<number> {
    const text = await this.etcdctl('endpoint', 'status', '--write-out', 'json');
    const states = JSON.parse(text) as { Status: { header: { revision: number } } }[];
    return Math.max(...states.map(({ Status }) => Status.header.revision));
  }

  async kill(index: number): Promise<void> {
    await this.#member(index).process.stop('SIGKILL');
  }

  async restart(index: number): Promise<void> {
    this.startAgain(index);
    await this.healthy();
  }

  /** Does not wait until it answers. */
  startAgain(index: number): void {
    const member = this.#member(index);
    member.process = new Background(this.#within(member.command));
  }

  /** All that it had is gone, and it starts as a new one. */
  async lose(index: number): Promise<void> {
    await this.kill(index);
    rmSync(join(this.#directory, this.#member(index).name), { recursive: true });
    await this.restart(index);
  }

  /** SIGSTOP: connections stay open, and nobody answers. */
  pause(index: number): void {
    this.#member(index).process.child.kill('SIGSTOP');
  }

  resume(index: number): void {
    this.#member(index).process.child.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ process }) => process.stop('SIGKILL')));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #member(index: number): Member {
    const member = this.#members[index];
    if (!member) throw new Error(`there is no member ${index}`);
    return member;
  }
}

function serverFlags(tls: TlsFiles | undefined): string[] {
  if (!tls) return [];
  const { ca, certificate, key } = tls;
  return ['--cert-file', certificate, '--key-file', key, '--trusted-ca-file', ca, '--client-cert-auth'];
}

function clientFlags(tls: TlsFiles | undefined): string[] {
  return tls ? ['--cacert', tls.ca, '--cert', tls.certificate, '--key', tls.key] : [];
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
