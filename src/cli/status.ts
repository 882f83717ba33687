import type { Command } from 'commander';
import type { MapView } from '../api/schemas/map.ts';
import type { StatusView } from '../api/schemas/status.ts';
import { command, contextOf, show } from './command.ts';
import { printFields } from './fields.ts';

export function status(): Command {
  return command(
    'status',
    'What runs here, how full its maps are, what it dropped and repaired',
    'vetch status --json',
  ).action(async (_: object, self: Command) => {
    const context = contextOf(self);
    await show(context, await context.client.call<StatusView>('GET', '/status'), printStatus);
  });
}

async function printStatus(view: StatusView): Promise<void> {
  const features = Object.entries(view.features);
  const named = (wanted: boolean) => features.filter(([, has]) => has === wanted).map(([name]) => name);
  await printFields({
    version: view.version,
    node: view.node,
    kernel: view.kernel,
    features: [named(true).join(' ')],
    ...(named(false).length > 0 ? { 'not in this kernel': [named(false).join(' ')] } : {}),
    networks: view.networks,
    endpoints: view.endpoints,
    maps: view.maps.map(fill),
    drops: Object.entries(view.drops).map(([reason, packets]) => `${reason} ${packets}`),
    'repairs since start': view.drift,
    warnings: view.warnings,
  });
}

function fill(map: MapView): string {
  if (map.entries === null) return `${map.name} ${map.capacity} bytes`;
  const percent = map.capacity > 0 ? Math.floor((100 * map.entries) / map.capacity) : 0;
  return `${map.name} ${map.entries} of ${map.capacity} (${percent} %)`;
}
