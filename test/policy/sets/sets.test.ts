import { expect, test } from 'vitest';
import { expected } from '../cells.ts';
import { initially, parties } from '../layout.ts';
import { after } from '../steps.ts';
import { policySets } from './all.ts';

test('there are at least 150 policy sets, each by a name of its own', () => {
  expect(policySets.length).toBeGreaterThanOrEqual(150);
  expect(new Set(policySets.map(({ name }) => name)).size).toBe(policySets.length);
});

/** Sets that change no verdict, on purpose. */
const idle: readonly string[] = [
  'a policy with ingress rules and no policyTypes leaves egress alone',
  'a rule without peers and ports allows all ingress',
  'a rule without peers and ports allows all egress',
  'an empty list of peers is any peer, in ingress',
  'an empty list of peers is any peer, in egress',
  'an empty list of ports is any traffic, in ingress',
  'an empty list of ports is any traffic, in egress',
  'a policy of a namespace that nobody is in changes nothing',
  'a policy that selects nobody changes nothing',
  'Exists selects nobody who does not have the label',
  'DoesNotExist selects nobody who has the label',
  'labels and expressions that contradict each other select nobody',
  'x receives from everything',
  'x sends to everything',
  'all sent is denied and allowed',
  'all received is denied and allowed',
  'all sent is denied, to addresses allowed',
  'sent to no pod, to every address',
  'all received is denied, from addresses allowed',
  'received from no pod, from every address',
  'an Admin policy that accepts isolates nobody',
  'an Admin policy that passes isolates nobody',
  'an Admin policy without rules decides nothing',
  'Admin Deny of a named port that nobody has that x receives',
  'Admin Deny of a named port that nobody has that x sends',
  'nodes that no label selects are not denied',
  'no policy opens a path to another network',
];

test('every set can be played, and all but those meant to be idle decide something', () => {
  const open = expected({ situation: initially, parties }).map(({ verdict }) => verdict);
  const found = policySets.filter(({ steps }) => {
    let state = { situation: initially, parties };
    return steps.every((step) => {
      state = after(state, step);
      return expected(state).every(({ verdict, audited }, at) => !audited && verdict === open[at]);
    });
  });
  expect(found.map(({ name }) => name)).toEqual(idle);
}, 60_000);
