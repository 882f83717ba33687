import { expect, test } from 'vitest';
import type { FlowView } from '../../src/api/schemas/flow.ts';
import type { Cell } from './cells.ts';
import { complaint, type Outcome } from './judge.ts';

const cell: Cell = { from: 'x-a', to: 'y-a', family: 4, protocol: 'tcp', address: '10.88.2.1', sentTo: 80, port: 80 };
const allow: Outcome = {
  cell,
  answer: { verdict: 'allow', denies: [], audited: false },
  who: 'y-a',
  error: undefined,
};
const deny: Outcome = { ...allow, answer: { verdict: 'deny', denies: ['ingress'], audited: false }, who: undefined };

function event(reason: string | null): FlowView {
  const end = { ip: '10.88.2.1', port: 80, endpoint: null, identity: 0, labels: {} };
  return {
    time: '',
    verdict: reason === null ? 'AUDIT' : 'DROPPED',
    reason,
    source: end,
    destination: end,
    protocol: 'tcp',
    tcpFlags: [],
    network: null,
    node: 'h1',
    decidedBy: null,
  };
}

test('an allowed cell is right only when the right one answers and no policy drops a packet of it', () => {
  expect(complaint(allow)).toBeUndefined();
  expect(complaint({ ...allow, who: undefined, error: 'ECONNREFUSED' })).toBe('no answer (ECONNREFUSED)');
  expect(complaint({ ...allow, who: undefined, drop: event('POLICY_DENIED') })).toContain('dropped for POLICY_DENIED');
  expect(complaint({ ...allow, who: undefined, accident: event('FLOW_QUOTA') })).toContain('dropped for FLOW_QUOTA');
  expect(complaint({ ...allow, who: 'z-a' })).toBe('answered by z-a');
  expect(complaint({ ...allow, drop: event('POLICY_DENIED') })).toContain('a packet of it was dropped');
});

test('a denied cell is right only without an answer and with a drop event for its denial', () => {
  expect(complaint({ ...deny, drop: event('POLICY_DENIED') })).toBeUndefined();
  expect(complaint(deny)).toBe('no answer, and no drop event');
  expect(complaint({ ...deny, accident: event('SPOOFED') })).toBe('no answer, and dropped for SPOOFED');
  expect(complaint({ ...deny, who: 'y-a', drop: event('POLICY_DENIED') })).toBe('answered by y-a');
});

test('an audit event is there exactly for what is audited', () => {
  const audited: Outcome = { ...allow, answer: { ...allow.answer, audited: true } };
  expect(complaint({ ...audited, audit: event(null) })).toBeUndefined();
  expect(complaint(audited)).toBe('no audit event');
  expect(complaint({ ...allow, audit: event(null) })).toBe('an audit event');
});

test('a ping is answered by an address', () => {
  const ping: Outcome = { ...allow, cell: { ...cell, protocol: 'icmp', sentTo: 0, port: 0 } };
  expect(complaint({ ...ping, who: '10.88.2.1' })).toBeUndefined();
  expect(complaint({ ...ping, who: 'y-a' })).toBe('answered by y-a');
});
