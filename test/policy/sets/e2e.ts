import { all, denyIngress, np, ns, once, only, pod, set, where } from './build.ts';

/** What the end-to-end suite of Kubernetes promises, as far as the other sets do not say it already. */
export const e2eSets = [
  once(
    'a target is open to all pods in a namespace that is closed',
    denyIngress('x'),
    only('ingress', 'x', 'all-to-a', pod('a'), { peers: [{ podSelector: all, namespaceSelector: all }] }),
  ),
  once(
    'x/a receives from other namespaces or from x/b',
    only('ingress', 'x', 'or', pod('a'), {
      peers: [{ namespaceSelector: where('kubernetes.io/metadata.name', 'NotIn', 'x') }, { podSelector: pod('b') }],
    }),
  ),
  once(
    'x/a receives from b of other namespaces',
    only('ingress', 'x', 'and', pod('a'), {
      peers: [{ namespaceSelector: where('kubernetes.io/metadata.name', 'NotIn', 'x'), podSelector: pod('b') }],
    }),
  ),
  once(
    'x/a receives from b and c of y and z',
    only('ingress', 'x', 'several', pod('a'), {
      peers: [
        {
          namespaceSelector: where('kubernetes.io/metadata.name', 'NotIn', 'x'),
          podSelector: where('pod', 'In', 'b', 'c'),
        },
      ],
    }),
  ),
  once(
    'x/a receives from any of two pods of its namespace',
    only('ingress', 'x', 'any', pod('a'), { peers: [{ podSelector: pod('b') }, { podSelector: pod('c') }] }),
  ),
  once(
    'x/a receives from y/a alone',
    only('ingress', 'x', 'one', pod('a'), { peers: [{ namespaceSelector: ns('y'), podSelector: pod('a') }] }),
  ),
  once(
    'x/a receives from y on one port',
    only('ingress', 'x', 'port', pod('a'), { peers: [{ namespaceSelector: ns('y') }], ports: [{ port: 81 }] }),
  ),
  once(
    'x/a receives on two ports, by a policy each',
    only('ingress', 'x', 'on-80', pod('a'), { ports: [{ port: 80 }] }),
    only('ingress', 'x', 'on-81', pod('a'), { ports: [{ port: 81 }] }),
  ),
  once(
    'x/a sends to a named port of y',
    only('egress', 'x', 'named', pod('a'), {
      peers: [{ namespaceSelector: ns('y') }],
      ports: [{ port: 'serve-80-tcp' }],
    }),
  ),
  once(
    'x/a receives from x/b, and sends on one port and to DNS',
    np('x', 'both', {
      podSelector: pod('a'),
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: pod('b') }] }],
      egress: [{ ports: [{ port: 80 }, { protocol: 'UDP', port: 53 }] }],
    }),
  ),
  once(
    'x/a sends to y/a alone, whatever y/b allows',
    only('egress', 'x', 'to-y-a', pod('a'), { peers: [{ namespaceSelector: ns('y'), podSelector: pod('a') }] }),
    only('ingress', 'y', 'b-from-x-a', pod('b'), { peers: [{ namespaceSelector: ns('x'), podSelector: pod('a') }] }),
  ),
  once(
    'one pod is controlled for what it receives, and apart from it for what it sends',
    only('ingress', 'x', 'in', pod('a'), { peers: [{ podSelector: pod('b') }] }),
    only('egress', 'x', 'out', pod('a'), { peers: [{ namespaceSelector: ns('z') }] }),
  ),
  once(
    'a policy about UDP opens no TCP',
    only('ingress', 'x', 'udp', pod('a'), { ports: [{ protocol: 'UDP', port: 80 }] }),
  ),
  once(
    'a policy about SCTP opens no TCP',
    only('ingress', 'x', 'sctp', pod('a'), { ports: [{ protocol: 'SCTP', port: 80 }] }),
  ),
  once(
    'egress goes to a server by its address alone',
    only('egress', 'x', 'cidr', pod('a'), {
      peers: [{ ipBlock: { cidr: '10.88.2.2/32' } }, { ipBlock: { cidr: 'fd00:88::2:2/128' } }],
    }),
  ),
  once(
    'egress goes to a block but one server',
    only('egress', 'x', 'except', pod('a'), {
      peers: [
        { ipBlock: { cidr: '10.88.2.0/24', except: ['10.88.2.2/32'] } },
        { ipBlock: { cidr: 'fd00:88::2:0/112', except: ['fd00:88::2:2/128'] } },
      ],
    }),
  ),
  set(
    'egress to one of a range of ports follows the range',
    { apply: [only('egress', 'x', 'range', pod('a'), { ports: [{ port: 80, endPort: 80 }] })] },
    { apply: [only('egress', 'x', 'range', pod('a'), { ports: [{ port: 80, endPort: 81 }] })] },
    { apply: [only('egress', 'x', 'range', pod('a'), { ports: [{ port: 81, endPort: 32768 }] })] },
  ),
];
