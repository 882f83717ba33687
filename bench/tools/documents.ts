/** `count` documents of a namespace: each governs the endpoints of one group and lets in another on a few ports. */
export function documents(namespace: string, count: number, groups: number): string {
  return Array.from({ length: count }, (_, index) => {
    const [own, other] = [index % groups, (index * 7 + 1) % groups];
    return JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `policy-${index}`, namespace },
      spec: {
        podSelector: { matchLabels: { group: `g${own}` } },
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { group: `g${other}` } } }],
            ports: [{ port: 1 + (index % 60_000) }],
          },
        ],
      },
    });
  }).join('\n---\n');
}

/** A document that governs the endpoints of a group and lets everybody in on one port. */
export function openPort(namespace: string, group: string, port: number): string {
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `open-${group}`, namespace },
    spec: { podSelector: { matchLabels: { group } }, ingress: [{ ports: [{ port }] }] },
  });
}
