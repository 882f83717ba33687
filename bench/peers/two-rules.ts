import { must } from '../../test/lab/process.ts';
import type { Arena } from '../arena.ts';
import { type Routed, routed, routerAddress } from './limits.ts';

/** The kernel's way to a published port in its shortest form: conntrack, one rule that translates, one that lets pass. */
export async function twoRules(arena: Arena, port: number): Promise<Routed & { readonly published: string }> {
  const path = await routed(arena, 'routed, conntrack, two rules', 'rules');
  const rules = `
table ip published {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    udp dport ${port} dnat to ${path.address}
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state new,established,related accept
  }
}
`;
  await must(path.router.command(['nft', '-f', '-']), { input: rules });
  return { ...path, published: routerAddress };
}
