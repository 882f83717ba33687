import type { Store } from '../../store/contract.ts';

const fact = 'unhealthy-backends';

/** Who was unhealthy when this was last written, for `BackendHealth`. */
export async function readHealth(store: Pick<Store, 'fact'>): Promise<string[]> {
  const text = (await store.fact(fact)) ?? '';
  return text.split('\n').filter(Boolean);
}

export function writeHealth(store: Pick<Store, 'putFact'>, unhealthy: readonly string[]): Promise<void> {
  return store.putFact(fact, unhealthy.length === 0 ? undefined : unhealthy.join('\n'));
}
