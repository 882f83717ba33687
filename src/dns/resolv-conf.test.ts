import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatUpstream, parseResolvConf, parseUpstream, ResolvConf } from './resolv-conf.ts';

test('the first three servers of a resolv.conf are asked, and this host where it names none', () => {
  const text = `# made by hand
search example.org
nameserver 192.0.2.1
  nameserver fe80::1%eth0 # the router
nameserver nonsense
;nameserver 192.0.2.9
nameserver 2001:db8::1
nameserver 192.0.2.4`;
  expect(parseResolvConf(text).map(({ address }) => address)).toEqual(['192.0.2.1', 'fe80::1%eth0', '2001:db8::1']);
  expect(parseResolvConf('options edns0\n')).toEqual([{ address: '127.0.0.1', port: 53 }]);
});

test.each(['192.0.2.1', '192.0.2.1:5353', '2001:db8::1', '[2001:db8::1]:5353', 'fe80::1%eth0'])(
  'a server written %s is read, and written so again',
  (text) => {
    const upstream = parseUpstream(text);
    expect(upstream && formatUpstream(upstream)).toBe(text);
  },
);

test.each(['', 'example.org', '192.0.2.1:0', '192.0.2.1:65536', '192.0.2:53', '[192.0.2.1]:53', '2001:db8::1:x'])(
  'a server written %j is none',
  (text) => expect(parseUpstream(text)).toBeUndefined(),
);

test('a resolv.conf that changes is read again, and one that vanishes stays in force', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vetch-resolv-'));
  try {
    const path = join(directory, 'resolv.conf');
    writeFileSync(path, 'nameserver 192.0.2.1\n');
    const file = new ResolvConf(path);
    expect(file.upstreams).toEqual([{ address: '192.0.2.1', port: 53 }]);
    writeFileSync(path, 'nameserver 192.0.2.22\n');
    await expect.poll(() => file.upstreams[0]?.address, { timeout: 5000 }).toBe('192.0.2.22');
    rmSync(path);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(file.upstreams).toEqual([{ address: '192.0.2.22', port: 53 }]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
