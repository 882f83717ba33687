import * as build from '../packet/build.ts';
import { uplink } from '../world/plan.ts';
import { addressOf, families, fromOutside, type PacketCase, type Step } from './say.ts';

function meets(bytes: Uint8Array, expected: Pick<Step, 'verdict' | 'reason'>): Step {
  return { hook: 'xdp_uplink', device: uplink.device, packet: bytes, ...expected };
}

/** Before the stack. */
export const xdp: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const host = addressOf('host', family);
  const [first, last, beside] =
    family === 4
      ? ['192.0.2.0', '192.0.2.127', '192.0.2.128']
      : ['2001:db8:bad::', '2001:db8:bad:ffff::1', '2001:db8:bae::1'];
  const syn = build.tcp({ source: 5000, destination: 8080 });
  return [
    {
      name: `a source over IPv${family} on the deny list is dropped, to the last address of its prefix`,
      steps: [first, last].map((source) =>
        meets(fromOutside(source ?? '', host, family, syn), { verdict: 'drop', reason: 'DENY_LIST' }),
      ),
    },
    {
      name: `a source over IPv${family} beside the deny list passes`,
      steps: [beside, addressOf('world', family)].map((source) =>
        meets(fromOutside(source ?? '', host, family, syn), { verdict: 'pass' }),
      ),
    },
  ];
});
