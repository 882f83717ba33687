import type { StringAnswer } from 'dns-packet';
import { familyOf } from '../model/address.ts';
import type { Found, View } from './names.ts';
import { addressOfReverseName } from './reverse-name.ts';

/** What is asked: the name without its final dot, as it was written. */
export interface Question {
  readonly name: string;
  /** As `A`; `UNKNOWN_65280` for a type that has no name. */
  readonly type: string;
}

export type Decision =
  /** Without records: the name is there, and has none of this type. */
  | { readonly kind: 'answer'; readonly records: readonly StringAnswer[] }
  | { readonly kind: 'nxdomain' }
  | { readonly kind: 'forward' }
  | { readonly kind: 'refuse' };

/** Seconds: a container that is made again may have another address at once. */
const ttl = 5;

/** Who answers a question, and with what. */
export function decide({ name, type }: Question, view: View): Decision {
  if (!view.names) return { kind: view.internal ? 'refuse' : 'forward' };
  const address = addressOfReverseName(name.toLowerCase());
  if (address !== undefined) {
    const holder = view.at(address);
    if (holder) return { kind: 'answer', records: asks(type, 'PTR') ? pointers(name, holder) : [] };
    if (view.holds(address)) return { kind: 'nxdomain' };
  }
  const found = view.find(name);
  if (found) return { kind: 'answer', records: addresses(name, type, found) };
  if (view.internal) return { kind: 'refuse' };
  // No public server knows a plain name, and what the containers here look for is nobody else's business
  const isPlain = name !== '' && !name.includes('.');
  if (isPlain && (type === 'A' || type === 'AAAA')) return { kind: 'nxdomain' };
  return { kind: 'forward' };
}

function asks(type: string, wanted: string): boolean {
  return type === wanted || type === 'ANY';
}

function addresses(name: string, type: string, { endpoint }: Found): StringAnswer[] {
  return endpoint.addresses.flatMap((data): StringAnswer[] => {
    const own = familyOf(data) === 4 ? 'A' : 'AAAA';
    return asks(type, own) ? [{ name, type: own, ttl, class: 'IN', data }] : [];
  });
}

/** `NAME.NETWORK`, as Docker has it; none where the wire has no room for it. */
function pointers(name: string, { endpoint, network }: Found): StringAnswer[] {
  const data = [`${endpoint.name}.${network}`, endpoint.name].find(fitsTheWire);
  return data === undefined ? [] : [{ name, type: 'PTR', ttl, class: 'IN', data }];
}

/** RFC 1035, 2.3.4: labels of 1 to 63 bytes, 255 with their lengths and the end. */
function fitsTheWire(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length >= 1 && label.length <= 63);
}
