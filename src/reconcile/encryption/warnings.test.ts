import { expect, test } from 'vitest';
import { encryptionWarnings } from './warnings.ts';

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
