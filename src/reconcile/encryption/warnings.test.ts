import { expect, test } from 'vitest';
import { encryptionWarnings, twinsOf } from './warnings.ts';

const now = Date.UTC(2026, 0, 2);

test('a host that has answered lately is not told of', () => {
  const state = { name: 'h2', hasKey: true };
  expect(encryptionWarnings([{ ...state, lastHandshake: now - 170_000 }, state], now)).toEqual([]);
});

test('one without a key, one that never answered, and one that does not any more are told of by name', () => {
  const lines = encryptionWarnings(
    [
      { name: 'h2', hasKey: false },
      { name: 'h3', hasKey: true, lastHandshake: 0 },
      { name: 'h4', hasKey: true, lastHandshake: now - 305_000 },
    ],
    now,
  );
  expect(lines).toEqual([
    expect.stringMatching(/^host h2 has no key: /),
    expect.stringMatching(/^host h3 has not answered WireGuard: see that UDP ports 51871 and 51872 are open/),
    expect.stringMatching(/^host h4 has not answered WireGuard for 5 minutes: /),
  ]);
});

test('hosts that have one key are told of by both names, and one that changes its own is no twin of itself', () => {
  const node = (name: string, ...keys: string[]) => {
    return { name, wireguard: keys.map((publicKey) => ({ publicKey, port: 51_871 })) };
  };
  const twins = twinsOf([node('h2', 'b', 'b2'), node('h3', 'a'), node('h4', 'b2'), node('h5', 'e', 'e')], ['a']);
  expect([...twins]).toEqual([
    ['h3', 'this host'],
    ['h4', 'host h2'],
  ]);
  const states = [...twins].map(([name, twin]) => ({ name, hasKey: true, twin }));
  expect(encryptionWarnings(states, now)).toEqual([
    expect.stringMatching(/^host h3 has the key of this host, .*: use `vetch node rotate-key` at one of them/),
    expect.stringMatching(/^host h4 has the key of host h2, /),
  ]);
});
