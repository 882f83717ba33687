import type { PolicySet } from '../steps.ts';
import { changeSets } from './changes.ts';
import { cidrSets } from './cidrs.ts';
import { clusterRuleSets } from './cluster-rules.ts';
import { conflictSets } from './conflicts.ts';
import { defaults } from './defaults.ts';
import { e2eSets } from './e2e.ts';
import { outsideSets } from './outside.ts';
import { peerSets } from './peers.ts';
import { portSets } from './ports.ts';
import { tierSets } from './tiers.ts';

/** Every policy set, kind by kind: every tenth has some of each. */
export const policySets: readonly PolicySet[] = [
  ...defaults,
  ...peerSets,
  ...portSets,
  ...cidrSets,
  ...conflictSets,
  ...changeSets,
  ...e2eSets,
  ...tierSets,
  ...clusterRuleSets,
  ...outsideSets,
];
