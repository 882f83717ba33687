import { VetchError } from '../api/error.ts';
import type { Owner } from '../model/network.ts';

/** @throws VetchError IN_USE: an engine made it, and would not learn of the change */
export function refuseForeign(what: string, owner: Owner, command: string): void {
  if (owner === 'vetch') return;
  const engine = owner === 'docker' ? 'Docker' : 'a CNI runtime';
  const remedy = owner === 'docker' ? `use \`${command}\`` : 'use the runtime that made it';
  throw new VetchError('IN_USE', `${what} belongs to ${engine}`, remedy);
}
