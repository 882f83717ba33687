import { join } from 'node:path';
import { request } from '../api/node-http.ts';
import { type ResolverView, resolverView } from '../api/schemas/resolver.ts';
import type { DoctorCheck } from '../api/schemas/status.ts';
import type { Context } from './context.ts';
import { isServed } from './operations/names.ts';

/** Milliseconds in which a resolver that runs says how it is. */
const patience = 500;
const start = 'systemctl start vetch-resolver, or run vetch resolver run';

/**
 * How the resolver is, for those networks that need it: `docker` answers for its own, but for containers that may reach domain
 * names. A check, or undefined where there
 * is nothing to check: no such endpoint, or `--resolver off`.
 */
export async function resolverCheck(context: Context): Promise<DoctorCheck | undefined> {
  const { options, state } = context;
  if (options.resolver === 'off') return undefined;
  const { networks } = state.index;
  const needy = [...networks.values()].filter(
    (network) => state.index.endpointsOf(network.id).size > 0 && isServed(context, network),
  );
  if (needy.length === 0) return undefined;
  const names = needy.map(({ name }) => name).sort();
  const view = await ask(join(options.resolver, 'resolver.sock'));
  return judge(view, names);
}

/** @param names of the networks that need it */
export function judge(view: ResolverView | undefined, names: readonly string[]): DoctorCheck {
  const failed = (detail: string, remedy: string) => ({ check: 'resolver', ok: false, detail, remedy });
  if (!view) {
    const shown = `${names.slice(0, 8).join(', ')}${names.length > 8 ? ' ...' : ''}`;
    return failed(`it does not run: containers of ${shown} find no names at their gateways`, start);
  }
  const [bad] = view.gateways.filter(({ error, network }) => error !== null && names.includes(network));
  if (bad) {
    return failed(
      `it does not answer on ${bad.address}, the gateway of ${bad.network}: ${bad.error}`,
      `ss -lnptu 'sport = :53' tells who listens there`,
    );
  }
  if (view.daemon === 'away') {
    return failed('it does not follow this daemon: new endpoints have no names', 'see journalctl -u vetch-resolver');
  }
  return { check: 'resolver', ok: true, detail: `answers on ${view.gateways.length} gateways`, remedy: null };
}

function ask(socketPath: string): Promise<ResolverView | undefined> {
  return new Promise((resolve) => {
    const sent = request({ socketPath, path: '/v1/status', agent: false, timeout: patience }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.once('error', () => resolve(undefined));
      response.once('end', () => resolve(parse(text)));
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer')));
    sent.once('error', () => resolve(undefined));
    sent.end();
  });
}

function parse(text: string): ResolverView | undefined {
  try {
    return resolverView.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
