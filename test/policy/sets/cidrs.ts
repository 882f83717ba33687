import type { NetworkPolicyPeer } from '../model/documents.ts';
import { all, anywhere, denyEgress, ns, once, only, pod, set, type Way, ways } from './build.ts';

function block(cidr: string, ...except: string[]): NetworkPolicyPeer {
  return { ipBlock: except.length > 0 ? { cidr, except } : { cidr } };
}

type Named = readonly [name: string, ...peers: NetworkPolicyPeer[]];

/** Address blocks, in both directions alike. Pods are matched by their addresses, too. */
const blocks: readonly Named[] = [
  ['everything of IPv4 and nothing of IPv6', block('0.0.0.0/0')],
  ['everything of IPv6 and nothing of IPv4', block('::/0')],
  ['everything', ...anywhere],
  ['one address', block('10.88.2.1/32')],
  ['one address of IPv6', block('fd00:88::2:1/128')],
  ['a namespace by its addresses', block('10.88.2.0/24'), block('fd00:88::2:0/112')],
  ['a namespace but one of it', block('10.88.2.0/24', '10.88.2.2/32'), block('fd00:88::2:0/112', 'fd00:88::2:2/128')],
  ['a network but a namespace', block('10.88.0.0/16', '10.88.3.0/24')],
  ['a network but two namespaces', block('10.88.0.0/16', '10.88.2.0/24', '10.88.3.0/24')],
  ['everything but a network', block('0.0.0.0/0', '10.0.0.0/8'), block('::/0', 'fd00::/8')],
  ['a block that is excepted whole, which is nothing', block('10.88.2.0/24', '10.88.2.0/25', '10.88.2.128/25')],
  ['an excepted address that another block holds', block('10.88.2.0/24', '10.88.2.2/32'), block('10.88.2.2/31')],
  ['a block written with host bits of nobody', block('10.88.64.0/18')],
  ['the wire of the host', block('198.51.100.0/24'), block('2001:db8:f::/64')],
  ['what lies beyond the router', block('203.0.113.0/24'), block('2001:db8:3::/64')],
  ['the world but what lies beyond the router', block('0.0.0.0/0', '203.0.113.0/24'), block('::/0', '2001:db8:3::/64')],
  ['one machine outside', block('198.51.100.100/32'), block('2001:db8:f::64/128')],
  ['half of the addresses', block('0.0.0.0/1'), block('8000::/1')],
  ['the other half', block('128.0.0.0/1'), block('::/1')],
];

function ofBlocks(way: Way) {
  const does = way === 'ingress' ? 'receives from' : 'sends to';
  return blocks.map(([name, ...some]) => once(`x ${does} ${name}`, only(way, 'x', 'blocks', all, { peers: some })));
}

export const cidrSets = [
  ...ways.flatMap(ofBlocks),
  set(
    'an address that one policy excepts is allowed by another that holds it, in whatever order they come',
    { apply: [only('egress', 'x', 'wide', pod('a'), { peers: [block('10.88.0.0/16', '10.88.2.1/32')] })] },
    { apply: [only('egress', 'x', 'narrow', pod('a'), { peers: [block('10.88.2.1/32')] })] },
    { delete: ['x/wide'] },
    { apply: [only('egress', 'x', 'wide', pod('a'), { peers: [block('10.88.0.0/16', '10.88.2.1/32')] })] },
    { delete: ['x/narrow'] },
  ),
  once(
    'a block and ports together',
    only('egress', 'x', 'both', all, {
      peers: [block('10.88.2.0/24')],
      ports: [{ port: 80 }, { protocol: 'UDP', port: 81 }],
    }),
  ),
  once(
    'nested blocks with ports of their own add up on the way in',
    only(
      'ingress',
      'x',
      'nested',
      all,
      { peers: [block('10.88.0.0/16')], ports: [{ port: 80 }] },
      { peers: [block('10.88.2.0/24')], ports: [{ port: 81 }] },
      { peers: [block('10.88.2.2/31')], ports: [{ protocol: 'UDP' }] },
    ),
  ),
  once(
    'a block or a pod, whichever matches',
    only('egress', 'x', 'either', pod('b'), {
      peers: [block('10.88.2.0/24'), { namespaceSelector: ns('z'), podSelector: pod('c') }],
    }),
  ),
  once(
    'a block beside a default deny opens no more than itself',
    denyEgress('x'),
    only('egress', 'x', 'world', pod('c'), { peers: [block('0.0.0.0/0', '10.88.0.0/16', '10.89.0.0/16')] }),
  ),
  once(
    'a policy that names the addresses of another network opens no path to it',
    only('egress', 'x', 'there', all, { peers: [block('10.89.0.0/16'), block('fd00:89::/64')] }),
    only('ingress', 'x', 'here', all, { peers: [block('10.89.0.0/16'), block('fd00:89::/64')] }),
  ),
];
