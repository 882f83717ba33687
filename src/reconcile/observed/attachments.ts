import { openPinnedLink } from '../../loader/link/link.ts';
import type { PinTree } from '../../loader/pin.ts';
import type { ObservedAttachment } from '../plan/attachments.ts';

/** Every pinned link of ours, and what has become of it. */
export function observeLinks(tree: PinTree): ObservedAttachment[] {
  return tree.links().map(({ hook, target, path }) => {
    using link = openPinnedLink(path);
    const { programId, ifindex, cgroupId, live } = link.info();
    return {
      ...{ hook, target, programId, live },
      ...(ifindex === undefined ? {} : { ifindex }),
      ...(cgroupId === undefined ? {} : { cgroupId }),
    };
  });
}
