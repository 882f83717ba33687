import { VetchError } from '../api/error.ts';
import { maxDocumentNumber } from './decision.ts';

/**
 * The first free number of a document after the last one given, around the end: events that are remembered still name the
 * documents that are gone.
 *
 * @throws VetchError MAP_FULL
 */
export function freeNumber(taken: ReadonlySet<number>, last: number): number {
  for (let step = 0; step < maxDocumentNumber; step++) {
    const number = ((last + step) % maxDocumentNumber) + 1;
    if (!taken.has(number)) return number;
  }
  throw new VetchError(
    'MAP_FULL',
    `this host has ${maxDocumentNumber} policy documents, which is as many as it can have`,
    'delete documents that are no longer needed',
  );
}
