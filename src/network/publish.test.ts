import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import { matchPublished, type PublishRequest, parsePublish } from './publish.ts';
import { refusal } from './testing.ts';

const at = (port: number) => ({ first: port, last: port });

describe('a publish spec', () => {
  test.each<[string, PublishRequest[]]>([
    ['80', [{ protocol: 'tcp', port: 80 }]],
    [':80', [{ protocol: 'tcp', port: 80 }]],
    ['0:80', [{ protocol: 'tcp', port: 80 }]],
    ['53/udp', [{ protocol: 'udp', port: 53 }]],
    ['8080:80', [{ protocol: 'tcp', hostPorts: at(8080), port: 80 }]],
    ['8080:80/SCTP', [{ protocol: 'sctp', hostPorts: at(8080), port: 80 }]],
    ['127.0.0.1:8080:80/tcp', [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPorts: at(8080), port: 80 }]],
    ['127.0.0.1::80', [{ protocol: 'tcp', hostAddress: '127.0.0.1', port: 80 }]],
    ['[::1]:8080:80', [{ protocol: 'tcp', hostAddress: '::1', hostPorts: at(8080), port: 80 }]],
    ['[FD00::0:1]::80', [{ protocol: 'tcp', hostAddress: 'fd00::1', port: 80 }]],
    ['[::ffff:10.0.0.1]:1:2', [{ protocol: 'tcp', hostAddress: '10.0.0.1', hostPorts: at(1), port: 2 }]],
    ['8000-8010:80', [{ protocol: 'tcp', hostPorts: { first: 8000, last: 8010 }, port: 80 }]],
    [
      '8000-8001:80-81',
      [
        { protocol: 'tcp', hostPorts: at(8000), port: 80 },
        { protocol: 'tcp', hostPorts: at(8001), port: 81 },
      ],
    ],
    [
      '80-81/udp',
      [
        { protocol: 'udp', port: 80 },
        { protocol: 'udp', port: 81 },
      ],
    ],
  ])('%s is read as Docker reads it', (spec, requests) => {
    expect(parsePublish(spec)).toEqual(requests);
  });

  test.each([
    ['8000-8002:80-81', '3 host ports for 2 container ports'],
    ['8000:80-81', '1 host ports for 2 container ports'],
    ['', 'no container port'],
    ['8080:', 'no container port'],
    ['8080:0', 'container port 0'],
    ['0-5:80', 'from 0'],
    ['65536:80', "host port '65536'"],
    ['80:65536', "container port '65536'"],
    ['8001-8000:80-81', 'backwards'],
    ['a:80', "host port 'a'"],
    ['-1:80', "host port '-1'"],
    ['80/icmp', "no protocol 'icmp'"],
    ['80/', "no protocol ''"],
    ['80/tcp/udp', 'no protocol'],
    ['localhost:8080:80', "'localhost'"],
    [':8080:80', 'empty host address'],
    ['::1:8080:80', 'more than'],
    ['[]:8080:80', "''"],
    ['[127.0.0.1]:8080:80', "'127.0.0.1'"],
    ['[fe80::1%eth0]:8080:80', "'fe80::1%eth0'"],
    ['[::1]8080:80', ''],
    ['8080:80:tcp', ''],
    ['８080:80', ''],
  ])('%j is refused', (spec, words) => {
    const error = refusal(() => parsePublish(spec));
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringContaining(words) });
    expect(error).toHaveProperty('message', expect.stringContaining(`'${spec}'`));
  });

  test('is read or refused with a VetchError, whatever it holds', () => {
    const piece = fc.constantFrom('[', ']', ':', '-', '/', '::1', '127.0.0.1', '80', '0', '65535', 'tcp', ' ', 'x');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        try {
          for (const { port } of parsePublish(pieces.join(''))) expect(port).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(VetchError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('to be unpublished means every published port that it leaves open', () => {
    const ports = [
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 },
      { protocol: 'tcp', hostAddress: '::', hostPort: 8080, port: 80 },
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8081, port: 80 },
      { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 },
    ] as const;
    const matched = (spec: string) =>
      matchPublished(parsePublish(spec), ports).map((port) => ports.indexOf(port as never));
    expect(matched('8080:80')).toEqual([0, 1]);
    expect(matched('0.0.0.0:8080:80')).toEqual([0]);
    expect(matched('80')).toEqual([0, 1, 2]);
    expect(matched('8080-8081:80')).toEqual([0, 1, 2]);
    expect(matched('80/udp')).toEqual([3]);
    expect(matched('81')).toEqual([]);
  });

  test('to be unpublished means what takes no port of the host, too, by its family at most', () => {
    const ports = [
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 },
      { protocol: 'tcp', hostAddress: '::', hostPort: 0, port: 80 },
    ] as const;
    const matched = (spec: string) => matchPublished(parsePublish(spec), ports).map(({ hostPort }) => hostPort);
    expect(matched('8080:80')).toEqual([8080, 0]);
    expect(matched('9090:80')).toEqual([0]);
    expect(matched('[::1]:9090:80')).toEqual([0]);
    expect(matched('0.0.0.0::80')).toEqual([8080]);
    expect(matched('8080:81')).toEqual([]);
  });
});
