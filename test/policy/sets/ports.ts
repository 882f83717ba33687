import type { NetworkPolicyPort } from '../model/documents.ts';
import { all, ns, once, only, pod, type Way, ways } from './build.ts';

type Named = readonly [name: string, ...ports: NetworkPolicyPort[]];

/** Which ports a rule is about, in both directions alike. */
const ports: readonly Named[] = [
  ['any TCP port', {}],
  ['any TCP port, by name of the protocol', { protocol: 'TCP' }],
  ['any UDP port', { protocol: 'UDP' }],
  ['any SCTP port', { protocol: 'SCTP' }],
  ['port 81, which is TCP', { port: 81 }],
  ['port 80 of TCP', { protocol: 'TCP', port: 80 }],
  ['port 81 of UDP', { protocol: 'UDP', port: 81 }],
  ['port 80 of SCTP', { protocol: 'SCTP', port: 80 }],
  ['port 81 of SCTP, which nobody serves', { protocol: 'SCTP', port: 81 }],
  ['a named port of TCP', { port: 'serve-81-tcp' }],
  ['a named port of UDP', { protocol: 'UDP', port: 'serve-80-udp' }],
  ['a named port of SCTP', { protocol: 'SCTP', port: 'serve-80-sctp' }],
  ['a named port of another protocol', { protocol: 'UDP', port: 'serve-81-tcp' }],
  ['a named port that nobody has', { port: 'no-such-port' }],
  ['a name that means another port to each namespace', { port: 'web' }],
  ['that name over UDP', { protocol: 'UDP', port: 'web' }],
  ['a range', { port: 80, endPort: 81 }],
  ['a range of one port', { port: 81, endPort: 81 }],
  ['a range below', { port: 1, endPort: 80 }],
  ['a range above', { port: 81, endPort: 65535 }],
  ['a range of UDP', { protocol: 'UDP', port: 79, endPort: 80 }],
  ['a range of SCTP', { protocol: 'SCTP', port: 64, endPort: 127 }],
  ['a range that misses', { port: 1000, endPort: 2000 }],
  ['two ports', { port: 80 }, { port: 81 }],
  ['a port of two protocols', { port: 80 }, { protocol: 'UDP', port: 80 }],
  ['a port of each protocol', { port: 80 }, { protocol: 'UDP', port: 80 }, { protocol: 'SCTP', port: 80 }],
  ['a port and a named one', { port: 80 }, { protocol: 'UDP', port: 'serve-81-udp' }],
  ['a port and a range that holds it', { port: 80 }, { port: 1, endPort: 1023 }],
  ['a protocol and a port of another', { protocol: 'UDP' }, { port: 81 }],
];

function ofPorts(way: Way) {
  const does = way === 'ingress' ? 'receives on' : 'sends to';
  return ports.map(([name, ...some]) => once(`x ${does} ${name}`, only(way, 'x', 'ports', all, { ports: some })));
}

export const portSets = [
  ...ways.flatMap(ofPorts),
  once(
    'a port is open for one namespace and another for the next',
    only(
      'ingress',
      'x',
      'two',
      pod('a'),
      { peers: [{ namespaceSelector: ns('y') }], ports: [{ port: 80 }] },
      { peers: [{ namespaceSelector: ns('z') }], ports: [{ port: 81 }, { protocol: 'UDP', port: 81 }] },
    ),
  ),
  once(
    'ranges of several policies add up, and leave the gap between them closed',
    only('ingress', 'x', 'below', all, { ports: [{ port: 1, endPort: 79 }] }),
    only('ingress', 'x', 'above', all, { ports: [{ port: 81, endPort: 90 }] }),
  ),
  once(
    'a named port is that of the receiver, in egress, too',
    only('egress', 'x', 'web', pod('b'), { peers: [{ namespaceSelector: all }], ports: [{ port: 'web' }] }),
  ),
  once(
    'a rule about ports leaves ping closed, and one without them opens it',
    only('ingress', 'x', 'ports', pod('a'), {
      ports: [{ port: 1, endPort: 65535 }, { protocol: 'UDP' }, { protocol: 'SCTP' }],
    }),
    only('ingress', 'x', 'any', pod('b'), { peers: [{ namespaceSelector: ns('y') }] }),
  ),
  once(
    'a policy about SCTP alone isolates from TCP and UDP',
    only('ingress', 'x', 'sctp', pod('a'), { ports: [{ protocol: 'SCTP' }] }),
  ),
];
