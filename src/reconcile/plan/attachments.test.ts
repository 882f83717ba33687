import { describe, expect, test } from 'vitest';
import { cgroupAttachments, desiredAttachments } from '../desired/attachments.ts';
import { aNetwork, anEndpoint, anIntent, hostFacts } from '../testing.ts';
import { type ObservedAttachment, placeOf, planAttachments } from './attachments.ts';

const desired = desiredAttachments(anIntent([aNetwork()], []), hostFacts(), '/cgroup');
const ids = new Map(desired.map(({ program }, at) => [program, 100 + at]));
const known = new Map(desired.map((a) => [placeOf(a), a.kind === 'cgroup' ? 0 : a.ifindex]));
const inPlace: ObservedAttachment[] = desired.map((a) => ({
  ...{ hook: a.hook, target: a.target, programId: ids.get(a.program) ?? 0, live: true },
  ...(a.kind === 'cgroup' ? {} : { ifindex: a.ifindex }),
}));

test('the host device comes first, an uplink has no XDP program while nothing is denied', () => {
  expect(desired.slice(0, 3).map(placeOf)).toEqual(['from_host vetch0', 'from_uplink eth0', 'sock_connect4 /cgroup']);
  const denying = desiredAttachments(anIntent([], [], ['192.0.2.0/24']), hostFacts(), '/cgroup');
  expect(denying.map(placeOf)).toContain('xdp_uplink eth0');
});

test('connections of the host are looked at while an endpoint may have them go from socket to socket', () => {
  const hooks = (options: Readonly<Record<string, string>>) =>
    desiredAttachments(anIntent([aNetwork({ options })], [anEndpoint()]), hostFacts(), '/cgroup').map(placeOf);
  expect(hooks({})).not.toContain('sock_join /cgroup');
  expect(hooks({ 'vetch.accelerate': 'latency' })).toContain('sock_join /cgroup');
});

test('nothing is done where everything is in place', () => {
  expect(planAttachments(desired, inPlace, ids, known)).toEqual({ steps: [], repairs: 0 });
});

test('a program that was detached is attached again and counted', () => {
  const observed = inPlace.map((a) => (a.hook === 'from_uplink' ? { ...a, live: false } : a));
  const plan = planAttachments(desired, observed, ids, known);
  expect(plan).toEqual({ steps: [{ kind: 'attach', attachment: desired[1], stale: true }], repairs: 1 });
});

test('a device that came back as another one is no repair', () => {
  const observed = inPlace.map((a) => (a.hook === 'from_uplink' ? { ...a, live: false } : a));
  expect(planAttachments(desired, observed, ids, new Map([['from_uplink eth0', 77]])).repairs).toBe(0);
});

test('a program of another version is replaced in place', () => {
  const plan = planAttachments(desired, inPlace, new Map(ids).set('from_host', 999), known);
  expect(plan.steps).toEqual([{ kind: 'replace', attachment: desired[0] }]);
});

test('what is not wanted any more is detached last', () => {
  const observed = [{ hook: 'xdp_uplink', target: 'eth0', programId: 5, ifindex: 2, live: true }];
  const plan = planAttachments(desired, observed, ids, new Map());
  expect(plan.steps.at(-1)).toEqual({ kind: 'detach', hook: 'xdp_uplink', target: 'eth0' });
  expect(plan.steps.slice(0, -1).every((step) => step.kind === 'attach')).toBe(true);
});

describe('at the cgroup of an endpoint', () => {
  const [attachment] = cgroupAttachments('/sys/fs/cgroup/app', 7n);
  const there = { hook: 'cgroup_egress', target: '/sys/fs/cgroup/app', programId: 1, live: true };
  const programs = new Map([['cgroup_egress', 1]]);
  const known = new Map([['cgroup_egress /sys/fs/cgroup/app', 7n]]);

  test('a program that somebody took away is put back', () => {
    expect(planAttachments([attachment], [{ ...there, cgroupId: 7n }], programs, known).steps).toEqual([]);
    const plan = planAttachments([attachment], [{ ...there, live: false, cgroupId: 0n }], programs, known);
    expect(plan).toEqual({ steps: [{ kind: 'attach', attachment, stale: true }], repairs: 1 });
  });

  test('one that was made anew under its path gets its own, which is no repair', () => {
    const again = { ...attachment, cgroupId: 8n };
    const plan = planAttachments([again], [{ ...there, cgroupId: 7n }], programs, known);
    expect(plan).toEqual({ steps: [{ kind: 'attach', attachment: again, stale: true }], repairs: 0 });
  });
});
