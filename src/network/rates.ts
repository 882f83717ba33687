import { VetchError } from '../api/error.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { BadValue } from './options.ts';

/** Names of options, of endpoints and of networks, and of labels. Directions are the container's. */
export const rateNames = { ingress: 'vetch.rate.ingress', egress: 'vetch.rate.egress' } as const;

/** Bits a second; absent: no limit. */
export interface Rates {
  /** What the endpoint receives. */
  readonly ingress?: number;
  /** What it sends. */
  readonly egress?: number;
}

type Direction = keyof typeof rateNames;
const directions: readonly Direction[] = ['ingress', 'egress'];

const [least, most] = [100_000, 100_000_000_000];
const form = 'use 100kbit to 100Gbit, as 100Mbit or 2.5Gbit, or none';

/** tc's units of bits, in any case; without one it is bits. */
const units = new Map<string, number>([
  ...([
    ['', 1],
    ['bit', 1],
    ['kbit', 1e3],
    ['mbit', 1e6],
    ['gbit', 1e9],
    ['tbit', 1e12],
  ] as const),
  ...([
    ['kibit', 2 ** 10],
    ['mibit', 2 ** 20],
    ['gibit', 2 ** 30],
    ['tibit', 2 ** 40],
  ] as const),
]);

/** @returns bits a second; undefined: `none`. @throws BadValue */
export function parseRate(value: string): number | undefined {
  if (value === 'none') return undefined;
  const [, digits, unit] = /^(\d{1,15}(?:\.\d{1,9})?)([A-Za-z]*)$/.exec(value) ?? [];
  const scale = unit === undefined ? undefined : units.get(unit.toLowerCase());
  if (digits === undefined || scale === undefined) throw new BadValue(form);
  const bits = Math.round(Number(digits) * scale);
  if (bits < least || bits > most) throw new BadValue(form);
  return bits;
}

/**
 * What limits an endpoint: in each direction its label, else its option, else its network's. A label that is no rate
 * counts as absent ({@link badRateLabels}).
 */
export function ratesOf(endpoint: Pick<Endpoint, 'labels' | 'options'>, network: Pick<Network, 'options'>): Rates {
  const rates: { ingress?: number; egress?: number } = {};
  for (const direction of directions) {
    const name = rateNames[direction];
    const label = endpoint.labels[name];
    const value = label !== undefined && isRate(label) ? label : (endpoint.options[name] ?? network.options[name]);
    const bits = value === undefined ? undefined : parseRate(value);
    if (bits !== undefined) rates[direction] = bits;
  }
  return rates;
}

/** Labels that should be rates and are not: an engine gives containers whatever labels they ask for. */
export function badRateLabels(labels: Endpoint['labels']): string[] {
  return directions.flatMap((direction) => {
    const value = labels[rateNames[direction]];
    return value === undefined || isRate(value) ? [] : [`${rateNames[direction]}=${value}`];
  });
}

/** @throws VetchError INVALID */
export function checkRateLabels(labels: Endpoint['labels']): void {
  const [bad] = badRateLabels(labels);
  if (bad !== undefined) throw new VetchError('INVALID', `label ${bad} is no rate`, form);
}

function isRate(value: string): boolean {
  try {
    parseRate(value);
    return true;
  } catch (error) {
    if (error instanceof BadValue) return false;
    throw error;
  }
}
