import { expect, test } from 'vitest';
import { Machine } from '../../test/lab/machine.ts';
import { grown } from './growth.ts';

const machine = new Machine('nobody', { holder: 0, cgroup: '' });
const path = (name: string) => ({ name, client: machine, server: machine, address: '' });
const step = { count: 1000, ours: path('ours-1000'), peer: path('peer-1000') };
const rounds = [
  [10, 40],
  [12, 60],
  [11, 50],
].map(
  ([ours = 0, peer = 0]) =>
    new Map([
      [step.ours.name, ours],
      [step.peer.name, peer],
    ]),
);

test('a step of what grows is told in absolute figures, ours with their range beside the median of the peer', () => {
  const named = { name: 'round trip', what: 'policies', unit: 'µs', peer: 'rules', note: '' };
  expect(grown(rounds, step, named)).toMatchObject({
    ...{ name: 'round trip: 1,000 policies', unit: 'µs', vetch: 11, spread: [10, 12], peers: { rules: 50 } },
  });
});
