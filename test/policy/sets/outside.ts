import {
  all,
  anywhere,
  audited,
  cnp,
  denyEgress,
  denyIngress,
  everybody,
  from,
  inNs,
  np,
  ns,
  once,
  only,
  pod,
  set,
  tcp,
  to,
} from './build.ts';

const host = [{ ipBlock: { cidr: '198.51.100.10/32' } }, { ipBlock: { cidr: '2001:db8:f::a/128' } }];
const outside = [{ ipBlock: { cidr: '198.51.100.100/32' } }, { ipBlock: { cidr: '2001:db8:f::64/128' } }];

/** Published ports, the world, the host; and policies under audit. */
export const outsideSets = [
  once('a default deny closes a published port to the outside', denyIngress('x')),
  once(
    'a published port is opened to one machine by its address',
    denyIngress('x'),
    only('ingress', 'x', 'one', all, { peers: outside }),
  ),
  once(
    'a published port is judged by the port behind it',
    only('ingress', 'x', 'behind', pod('a'), { peers: anywhere, ports: [{ port: 80 }] }),
    only('ingress', 'x', 'before', pod('b'), { peers: anywhere, ports: [{ port: 18000, endPort: 18999 }] }),
  ),
  once(
    'a published port is open to all but a wire',
    only('ingress', 'x', 'but', all, {
      peers: [
        { ipBlock: { cidr: '0.0.0.0/0', except: ['203.0.113.0/24'] } },
        { ipBlock: { cidr: '::/0', except: ['2001:db8:3::/64'] } },
      ],
    }),
  ),
  once(
    'a rule about all pods opens no published port',
    only('ingress', 'x', 'pods', all, { peers: [{ namespaceSelector: all }] }),
  ),
  once(
    'an Admin policy about all pods closes no published port',
    cnp('Admin', 10, 'pods', { ingress: [from('Deny', [everybody])] }),
  ),
  once('who may send nothing reaches nobody outside', denyEgress('x')),
  once('who may send to one machine outside reaches it alone', only('egress', 'x', 'one', all, { peers: outside })),
  once(
    'who may send to all pods reaches nobody outside',
    only('egress', 'x', 'pods', all, { peers: [{ namespaceSelector: all }] }),
  ),
  once(
    'the host reaches who receives nothing',
    np('x', 'deny-all', { podSelector: all, policyTypes: ['Ingress', 'Egress'] }),
  ),
  once(
    'the host is reached by who may send nothing, and by who may send elsewhere',
    denyEgress('y'),
    only('egress', 'x', 'elsewhere', all, { peers: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }),
  ),
  once(
    'the host is reached by who has it excepted',
    only('egress', 'x', 'but', all, {
      peers: [{ ipBlock: { cidr: '198.51.100.0/24', except: ['198.51.100.10/32'] } }],
    }),
  ),
  once('a rule for the host is a rule for nobody else', only('ingress', 'x', 'host', all, { peers: host })),
  set(
    'a published port closes, opens to one, and opens to all',
    { apply: [denyIngress('z')] },
    { apply: [only('ingress', 'z', 'one', pod('a', 'b'), { peers: outside, ports: [{ port: 80 }] })] },
    { apply: [only('ingress', 'z', 'one', pod('a', 'b'), {})] },
    { delete: ['z/one', 'z/deny-ingress'] },
  ),
  set(
    'an endpoint that moves to another namespace takes its permissions from there',
    { apply: [denyIngress('x'), only('ingress', 'y', 'from-y', all, { peers: [{ podSelector: all }] })] },
    { labelEndpoints: { 'x-c': { 'vetch.io/namespace': 'y' } } },
    { labelEndpoints: { 'x-c': { 'vetch.io/namespace': 'x' } } },
  ),
  once('a NetworkPolicy under audit stops nothing', audited(denyIngress('x'))),
  once(
    'an Admin policy under audit stops nothing, beside one that does',
    audited(cnp('Admin', 1, 'audit', { ingress: [from('Deny', [inNs('y')])] })),
    cnp('Admin', 10, 'real', { ingress: [from('Deny', [inNs('z')], tcp(80))] }),
  ),
  set(
    'a policy is audited first and enforced then',
    { apply: [audited(only('egress', 'x', 'out', all, { peers: [{ namespaceSelector: ns('y') }] }))] },
    { apply: [only('egress', 'x', 'out', all, { peers: [{ namespaceSelector: ns('y') }] })] },
    { apply: [audited(only('egress', 'x', 'out', all, { peers: [{ namespaceSelector: ns('y') }] }))] },
  ),
  once(
    'no policy opens a path to another network',
    only('ingress', 'x', 'in', all, {}),
    only('egress', 'x', 'out', all, {}),
    cnp('Admin', 0, 'accept', {
      ingress: [from('Accept', [everybody])],
      egress: [to('Accept', [everybody, { networks: ['0.0.0.0/0', '::/0'] }])],
    }),
  ),
];
