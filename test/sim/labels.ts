const tiers = ['front', 'logic', 'data'];
const [hostsApart, apps] = [7, 50];

/** Of the `n`th endpoint of a host: every host has some of each application. */
export function labelsOf(host: number, n: number): Readonly<Record<string, string>> {
  return { app: `app${(host * hostsApart + n) % apps}`, tier: tiers[n % tiers.length] ?? '', replica: String(n % 5) };
}

/** A document of a namespace: a tier takes connections of one tier of every application, on one port. */
export function policyOf(name: string, namespace: string, tier: string, from: string, port: number): string {
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: {
      podSelector: { matchLabels: { tier } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { tier: from } } }, { podSelector: { matchLabels: { app: 'app1' } } }],
          ports: [{ port, protocol: 'TCP' }],
        },
      ],
    },
  });
}
