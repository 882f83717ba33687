import { encoded } from '../maps/codec.ts';
import type { MapDefinition } from '../maps/definition.ts';
import { mapDefinitions } from '../maps/generated/abi.ts';

/** Every map that the control plane writes, in the order in which entries are added: what restricts comes before what permits. */
export const controlMaps = [
  'config',
  'networks',
  'nodes',
  'nodeNumbers',
  'nodeAddrs',
  'subnets',
  'hostAddrs',
  'uplinks',
  'denyUnlisted',
  'denyList',
  'hostCgroups',
  'rates',
  'accelerated',
  'interfaces',
  'interfaceSlots',
  'lanParents',
  'lanDevices',
  'endpoints',
  'endpointAddrs',
  'members',
  'serviceSlots',
  'serviceMembers',
  'services',
  'boundPorts',
  'trusted',
  'published',
  'publishedLo',
] as const;

export type ControlMap = (typeof controlMaps)[number];

/** One entry of a map, as the kernel holds it. */
export interface RawEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** An entry and where it belongs. */
export interface MapEntry extends RawEntry {
  readonly map: ControlMap;
}

type KeyOf<M extends ControlMap> =
  (typeof mapDefinitions)[M] extends MapDefinition<infer K, infer _V, infer _T> ? K : never;
type ValueOf<M extends ControlMap> =
  (typeof mapDefinitions)[M] extends MapDefinition<infer _K, infer V, infer _T> ? V : never;

/** Encodes one entry. @throws {RangeError} when a number does not fit its field */
export function entryOf<M extends ControlMap>(map: M, key: KeyOf<M>, value: ValueOf<M>): MapEntry {
  const definition = mapDefinitions[map] as unknown as MapDefinition<KeyOf<M>, ValueOf<M>>;
  return { map, key: encoded(definition.key, key), value: encoded(definition.value, value) };
}

/** One character a byte: equal keys have equal texts. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
