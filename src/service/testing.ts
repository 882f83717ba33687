import type { Service } from '../model/service.ts';

/** Selects `app=shop` in the network of `aNetwork`. */
export function aService(change: Partial<Service> = {}): Service {
  return {
    id: '5'.repeat(64),
    number: 1,
    name: 'store',
    network: 'a'.repeat(64),
    vip: '10.88.0.200',
    ports: [{ protocol: 'tcp', port: 80, targetPort: 8080 }],
    select: { app: 'shop' },
    algorithm: 'maglev',
    affinity: 0,
    created: '2026-01-31T12:00:00Z',
    ...change,
  };
}
