import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { destination, pino } from 'pino';
import type { ResolverView } from '../api/schemas/resolver.ts';
import { version } from '../api/version.ts';
import { followNames } from './follow-names.ts';
import { Forwarder } from './forwarder.ts';
import { Gateways } from './gateways.ts';
import { Learner, type TellDaemon } from './learner.ts';
import { NamesFile } from './names-file.ts';
import { formatUpstream, ResolvConf, type Upstream } from './resolv-conf.ts';
import { Resolver } from './resolver.ts';
import { serveStatus } from './status-server.ts';

export interface ResolverOptions {
  /** What the daemon tells of names, anew for each call; throws when there is no daemon. */
  readonly follow: () => AsyncIterable<unknown>;
  /** Has the daemon open an answer's addresses; throws when there is no daemon. */
  readonly learn: TellDaemon;
  /** Whom to ask for other names; empty: those of `resolvConf`. */
  readonly upstreams: readonly Upstream[];
  readonly resolvConf: string;
  /** Directory of the status socket and of the last known names. */
  readonly run: string;
}

/** Runs the resolver until it is told to stop. @returns the exit status @throws VetchError IN_USE: one runs already */
export async function runResolver(options: ResolverOptions): Promise<number> {
  // Written at once: a process that dies has said why
  const log = pino({ level: process.env.VETCH_LOG ?? 'info', base: {} }, destination({ dest: 2, sync: true }));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(signal));
  mkdirSync(options.run, { recursive: true, mode: 0o750 });

  const file = new NamesFile(join(options.run, 'names'), (err) => log.warn({ err }, 'cannot keep the names on disk'));
  const resolvConf = new ResolvConf(options.resolvConf);
  const ownAddresses = () => new Set(gateways.view.map(({ address }) => address));
  const upstreams = () => {
    const all = options.upstreams.length > 0 ? options.upstreams : resolvConf.upstreams;
    // A host that asks our own gateways would have us ask ourselves
    const own = ownAddresses();
    return all.filter(({ address, port }) => port !== 53 || !own.has(address));
  };
  const forwarder = new Forwarder({ upstreams });
  const learner = new Learner(options.learn);
  const resolver = new Resolver(file.read(), forwarder, learner);
  const gateways = new Gateways({ resolver, log: (level, message) => log[level](message) });
  const daemon = { state: 'away' as ResolverView['daemon'], since: new Date() };
  const view = (): ResolverView => ({
    version,
    pid: process.pid,
    daemon: daemon.state,
    since: daemon.since.toISOString(),
    endpoints: resolver.names.size,
    gateways: gateways.view,
    upstreams: upstreams().map(formatUpstream),
    queries: { ...resolver.counts, unopened: learner.missed, forwarding: forwarder.running },
  });
  const closeStatus = await serveStatus(join(options.run, 'resolver.sock'), view);

  gateways.follow(resolver.names);
  log.info({ endpoints: resolver.names.size, upstreams: view().upstreams }, 'ready');
  let isFirst = true;
  const following = followNames({
    follow: options.follow,
    signal: stop.signal,
    replaced: (names) => {
      resolver.names = names;
      gateways.follow(names);
      file.keep(() => resolver.names);
    },
    changed: (networks) => {
      if (networks) gateways.follow(resolver.names);
      file.keep(() => resolver.names);
    },
    connected: (follows, why) => {
      const state = follows ? 'follows' : 'away';
      if (state === daemon.state && !isFirst) return;
      isFirst = false;
      Object.assign(daemon, { state, since: new Date() });
      const endpoints = resolver.names.size;
      if (follows) log.info({ endpoints }, 'follows the daemon');
      else log.warn({ endpoints, why }, 'the daemon is away: the last known names are served');
    },
  });
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  log.info({ signal: stop.signal.reason }, 'stopping');
  await gateways.close();
  file.close(resolver.names);
  await closeStatus();
  await Promise.race([following, new Promise((resolve) => setTimeout(resolve, 100))]);
  return 0;
}
