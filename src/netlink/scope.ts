/** How far an address or a route reaches; `enum rt_scope_t`. */
export const scopes = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
export type Scope = keyof typeof scopes;

const names = new Map<number, Scope>(Object.entries(scopes).map(([name, number]) => [number, name as Scope]));

/** The name of a scope; numbers that people define for themselves are as good as `universe`. */
export function scopeName(number: number): Scope {
  return names.get(number) ?? 'universe';
}
