import type { PolicyDocument } from '../../src/model/policy.ts';
import type { PolicyEndpoint } from '../../src/policy/identity/policy-endpoint.ts';

/** Of the endpoints' networks, and so of their namespaces. */
const namespaces = 10;

/** `app-i` of namespace `i mod 10`. */
export function endpointOf(number: number, app: number, extra: Record<string, string> = {}): PolicyEndpoint {
  return {
    number,
    name: `endpoint-${number}`,
    network: `ns-${app % namespaces}`,
    driver: 'bridge',
    labels: { app: `app-${app}`, tier: `tier-${app % 5}`, ...extra },
    addresses: [`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}/8`, `fd00::${number.toString(16)}/64`],
  };
}

/** Document i governs app `i mod identities`: it receives from another app, from a namespace's tier, or from a block. */
export function documentOf(i: number, identities: number, port = 1000 + (i % 50)): PolicyDocument {
  const app = i % identities;
  const other = (app + 1 + namespaces * (1 + Math.floor(i / identities))) % identities;
  const peers = [
    { podSelector: { matchLabels: { app: `app-${other}` } } },
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': `ns-${i % namespaces}` } },
      podSelector: { matchLabels: { tier: `tier-${i % 5}` } },
    },
    { ipBlock: { cidr: `192.0.${i % 200}.0/24`, except: [`192.0.${i % 200}.128/25`] } },
  ];
  return {
    kind: 'NetworkPolicy',
    namespace: `ns-${app % namespaces}`,
    name: `policy-${i}`,
    number: i + 1,
    labels: {},
    annotations: {},
    spec: {
      podSelector: { matchLabels: { app: `app-${app}` } },
      ingress: [
        { from: [peers[i % peers.length] ?? {}], ports: [{ port }, { protocol: 'UDP', port: 53, endPort: 60 }] },
      ],
    },
  };
}
