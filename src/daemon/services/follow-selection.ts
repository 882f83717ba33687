import type { Service } from '../../model/service.ts';
import { maxBackends } from '../../service/maglev.ts';
import type { Context } from '../context.ts';

type FollowContext = Pick<Context, 'host' | 'log' | 'state'>;

/** Endpoints that come, go, or get other labels change the tables of their services at once. */
export function followSelection(context: FollowContext): void {
  context.state.onSelection((ids) => {
    for (const id of ids) {
      const service = context.state.index.services.get(id);
      if (service) applyService(context, service);
    }
  });
}

/** What the kernel had stays where it has no room. The caller holds the lock. */
export function applyService({ host, log, state }: FollowContext, service: Service): void {
  const network = state.index.networks.get(service.network);
  if (!network) return;
  const selected = [...state.selection.selected(service.id)];
  if (selected.length > maxBackends) {
    log.warn({ service: service.name, backends: selected.length }, `only ${maxBackends} backends are given flows`);
  }
  try {
    host.setService(service, network, selected);
  } catch (err) {
    log.error({ err, service: service.name }, 'a service keeps its former backends');
  }
}
