import { type FeatureName, feature, featureNames } from '../../loader/features.ts';
import type { FeatureFact } from './facts.ts';

/** What takes the place of a feature that a kernel has not. */
const fallbacks: Partial<Record<FeatureName, string>> = {
  tcx: 'clsact',
  mapBatch: 'one call an entry',
  lpmBatch: 'one call an entry',
  socketBypass: 'vetch.accelerate=latency has no effect',
  tunnelKey: 'networks of driver overlay reach one host',
};

/** What the kernel can do; one that will not say (without the capability) counts as missing. */
export function featureFacts(): FeatureFact[] {
  return featureNames.map((name) => {
    const fallback = fallbacks[name];
    return { name, ...probe(name), ...(fallback && { fallback }) };
  });
}

function probe(name: FeatureName): Pick<FeatureFact, 'ok' | 'since' | 'detail'> {
  try {
    const { ok, since, detail } = feature(name);
    return { ok, since, detail };
  } catch (error) {
    return { ok: false, since: '?', detail: error instanceof Error ? error.message : String(error) };
  }
}
