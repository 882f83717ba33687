import { expect } from 'vitest';
import { type Decoded, decode, wrongChecksums } from '../packet/decode.ts';
import type { ReasonName, World } from '../world/world.ts';
import type { PacketCase } from './say.ts';

/** Runs a case against the loaded programs. Gives the reasons that it reached. */
export function checkCase(world: World, { prepare, steps }: PacketCase): ReasonName[] {
  world.forget();
  const seen: Decoded[] = [];
  const reached: ReasonName[] = [];
  try {
    prepare?.(world);
    for (const [index, step] of steps.entries()) {
      const bytes = typeof step.packet === 'function' ? step.packet(seen) : step.packet;
      const outcome = world.run(step.hook, bytes, {
        device: step.device,
        ...(step.receivedOn ? { receivedOn: step.receivedOn } : {}),
      });
      const where = `step ${index + 1}`;
      const expected = { verdict: step.verdict, reasons: step.reason ? { [step.reason]: 1 } : {} };
      expect({ verdict: outcome.verdict, reasons: outcome.reasons }, where).toEqual(expected);
      reached.push(...(Object.keys(outcome.reasons) as ReasonName[]));
      const decoded = tryDecode(outcome.packet);
      seen.push(decoded);
      if (step.verdict === 'redirect') expect(wrongChecksums(decoded), where).toEqual([]);
      if (step.out) expect(decoded, where).toMatchObject(step.out);
      step.afterwards?.(world);
    }
  } finally {
    if (prepare || steps.some((step) => step.afterwards)) world.restore();
  }
  return reached;
}

function tryDecode(bytes: Uint8Array): Decoded {
  try {
    return decode(bytes);
  } catch {
    return { payload: bytes };
  }
}
