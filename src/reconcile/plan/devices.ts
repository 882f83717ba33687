import {
  type DesiredHostDevice,
  type HostRoute,
  hostDevice,
  hostIfnamePattern,
  sharedBlock,
} from '../desired/devices.ts';
import type { HostLink } from '../facts.ts';

/** Devices of ours, wanted and found, apart from their insides. */
export interface WantedDevices {
  readonly host: DesiredHostDevice;
  /** MTU by the name of the host's end, of every endpoint. */
  readonly endpoints: ReadonlyMap<string, number>;
}

export type MakingStep =
  | { readonly kind: 'create-host-device' /** Half of a pair that somebody left. */; readonly broken?: HostLink }
  | { readonly kind: 'delete-orphan'; readonly link: HostLink }
  | { readonly kind: 'create-endpoint'; readonly hostIfname: string };

/** Which devices have to come and go. A device that is called as ours are and is nobody's came of a crash. */
export function planMaking(wanted: WantedDevices, links: readonly HostLink[]): MakingStep[] {
  const found = new Map(links.map((link) => [link.name, link]));
  const steps: MakingStep[] = [];
  for (const link of links) {
    if (hostIfnamePattern.test(link.name) && !wanted.endpoints.has(link.name)) {
      steps.push({ kind: 'delete-orphan', link });
    }
  }
  const [device, peer] = [found.get(hostDevice.name), found.get(hostDevice.peer)];
  if (!device || !peer) {
    const broken = device ?? peer;
    steps.push({ kind: 'create-host-device', ...(broken ? { broken } : {}) });
  }
  for (const hostIfname of wanted.endpoints.keys()) {
    if (!found.has(hostIfname)) steps.push({ kind: 'create-endpoint', hostIfname });
  }
  return steps;
}

export type BindingStep =
  | {
      readonly kind: 'add-clsact';
      readonly link: HostLink /** It has one without our block. */;
      readonly replace: boolean;
    }
  | { readonly kind: 'set-filter' };

/**
 * What binds our devices to the shared filter block. The anchor comes first, then the filter, then the endpoints: a
 * block that is made by an endpoint's own qdisc would be empty.
 *
 * @param blocks the ingress block of each device that has a clsact qdisc, 0 where it has none
 * @param filterProgram id of the program that the block runs now, if it has our filter
 * @param program id of the program that it should run
 */
export function planBinding(
  wanted: WantedDevices,
  links: readonly HostLink[],
  blocks: ReadonlyMap<number, number>,
  filterProgram: number | undefined,
  program: number,
): BindingStep[] {
  const bind = (link: HostLink): BindingStep[] => {
    const block = blocks.get(link.ifindex);
    return block === sharedBlock ? [] : [{ kind: 'add-clsact', link, replace: block !== undefined }];
  };
  return [
    ...links.filter(({ name }) => name === hostDevice.peer).flatMap(bind),
    ...(filterProgram === program ? [] : [{ kind: 'set-filter' } as const]),
    ...links.filter(({ name }) => wanted.endpoints.has(name)).flatMap(bind),
  ];
}

/** What stands on the host device. */
export interface HostDeviceState {
  /** CIDR, canonical; link-local ones left out. */
  readonly addresses: readonly string[];
  /** By this device, that are not the kernel's own. */
  readonly routes: readonly { readonly destination: string; readonly source?: string }[];
}

export type OpeningStep =
  | { readonly kind: 'set-mtu'; readonly link: HostLink; readonly mtu: number }
  | { readonly kind: 'set-up'; readonly link: HostLink }
  | { readonly kind: 'add-address' | 'delete-address'; readonly address: string }
  | { readonly kind: 'set-route'; readonly route: HostRoute }
  | { readonly kind: 'delete-route'; readonly destination: string };

/** What lets packets flow; done when programs and maps are in place. */
export function planOpening(wanted: WantedDevices, links: readonly HostLink[], state: HostDeviceState): OpeningStep[] {
  const steps: OpeningStep[] = [];
  const mtus = new Map(wanted.endpoints);
  mtus.set(hostDevice.name, wanted.host.mtu);
  mtus.set(hostDevice.peer, wanted.host.mtu);
  for (const link of links) {
    const mtu = mtus.get(link.name);
    if (mtu === undefined) continue;
    if (link.mtu !== mtu) steps.push({ kind: 'set-mtu', link, mtu });
    if (!link.up) steps.push({ kind: 'set-up', link });
  }
  const { addresses, routes } = wanted.host;
  for (const address of addresses) if (!state.addresses.includes(address)) steps.push({ kind: 'add-address', address });
  const same = (route: Pick<HostRoute, 'destination' | 'source'>) => `${route.destination} ${route.source}`;
  const found = new Set(state.routes.map(same));
  for (const route of routes) if (!found.has(same(route))) steps.push({ kind: 'set-route', route });
  const destinations = new Set(routes.map(({ destination }) => destination));
  for (const { destination } of state.routes) {
    if (!destinations.has(destination)) steps.push({ kind: 'delete-route', destination });
  }
  for (const address of state.addresses) {
    if (!addresses.includes(address)) steps.push({ kind: 'delete-address', address });
  }
  return steps;
}
