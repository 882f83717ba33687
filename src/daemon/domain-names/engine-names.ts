import { readFileSync } from 'node:fs';
import type { DoctorCheck } from '../../api/schemas/status.ts';
import type { Context } from '../context.ts';
import { fullName } from '../refs.ts';

/** Where the engine finds the host's servers. */
const resolvConf = '/etc/resolv.conf';

/**
 * Whether containers of Docker's may be answered without anybody learning of it: a server on the host's loopback is asked by the
 * engine from the host's namespace. What it was told by `--dns` cannot be seen from here; a container that has learned
 * something is fine. Undefined where nothing depends on it.
 */
export function engineNamesCheck({ domainNames, policy, state }: Context): DoctorCheck | undefined {
  const { index } = state;
  const named = [...index.endpoints.values()].filter(
    ({ number, owner }) => owner === 'docker' && policy.domainsOf(number).length > 0,
  );
  if (named.length === 0) return undefined;
  const check = 'domain-names';
  const server = loopbackServer(read());
  const unheard = named.filter(({ id }) => !domainNames.hasLearned(id));
  if (server === undefined || unheard.length === 0) {
    return {
      check,
      ok: true,
      detail: `containers of Docker that may reach domain names: ${named.length}`,
      remedy: null,
    };
  }
  const [first] = unheard;
  const others = unheard.length > 1 ? ` and ${unheard.length - 1} more` : '';
  return {
    check,
    ok: false,
    detail:
      `Docker asks ${server} for its containers from the host, where answers open nothing:` +
      ` domain names of policies stay closed to ${first && fullName(index, first)}${others}`,
    remedy: 'give dockerd "dns" in daemon.json, or the container --dns, with a server that is not on the loopback',
  };
}

function read(): string {
  try {
    return readFileSync(resolvConf, 'utf8');
  } catch {
    return '';
  }
}

/** The first server of a resolv.conf that is one of the host's loopback addresses. */
export function loopbackServer(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, server] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    if (server !== undefined && (/^127\./.test(server) || server === '::1')) return server;
  }
  return undefined;
}
