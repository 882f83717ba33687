import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

/** A server that questions are forwarded to. */
export interface Upstream {
  /** May have a zone: `fe80::1%eth0`. */
  readonly address: string;
  readonly port: number;
}

/** As glibc: more are not asked. */
const most = 3;

/** The servers of a resolv.conf(5); without any, glibc asks this host. */
export function parseResolvConf(text: string): Upstream[] {
  const addresses = text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIP(address.split('%')[0] ?? '') !== 0);
  if (addresses.length === 0) addresses.push('127.0.0.1');
  return addresses.slice(0, most).map((address) => ({ address, port: 53 }));
}

/** Milliseconds after which the file is looked at again. */
const freshFor = 1000;

/** Follows a resolv.conf: it changes when the host moves to another network. While it cannot be read, the last one holds. */
export class ResolvConf {
  readonly #path: string;
  #upstreams = parseResolvConf('');
  #looked = Number.NEGATIVE_INFINITY;
  #stamp = '';

  constructor(path: string) {
    this.#path = path;
  }

  get upstreams(): readonly Upstream[] {
    const now = performance.now();
    if (now - this.#looked < freshFor) return this.#upstreams;
    this.#looked = now;
    try {
      const { ino, mtimeMs, size } = statSync(this.#path);
      const stamp = `${ino} ${mtimeMs} ${size}`;
      if (stamp !== this.#stamp) this.#upstreams = parseResolvConf(readFileSync(this.#path, 'utf8'));
      this.#stamp = stamp;
    } catch {
      // It is being replaced.
    }
    return this.#upstreams;
  }
}

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`; undefined for anything else. */
export function parseUpstream(text: string): Upstream | undefined {
  if (isIP(text.split('%')[0] ?? '') !== 0) return { address: text, port: 53 };
  const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = v6 ?? v4 ?? '';
  const port = Number(digits);
  const isRight = isIP(address.split('%')[0] ?? '') === (v6 === undefined ? 4 : 6) && port >= 1 && port <= 65_535;
  return isRight ? { address, port } : undefined;
}

export function formatUpstream({ address, port }: Upstream): string {
  if (port === 53) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
