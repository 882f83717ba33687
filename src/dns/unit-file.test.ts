import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('systemd starts the resolver again however often it dies', () => {
  const text = readFileSync(new URL('../../packaging/systemd/vetch-resolver.service', import.meta.url), 'utf8');
  const [unit, service] = ['Unit', 'Service'].map((name) => text.split(`[${name}]\n`)[1]?.split('\n[')[0]?.split('\n'));
  expect(unit).toContain('StartLimitIntervalSec=0');
  expect(service).toContain('Restart=always');
});
