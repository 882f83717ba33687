import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PublishedPort } from '../model/endpoint.ts';
import { allocatePorts, allocatePortsAsync, type PortContext } from './allocate-ports.ts';
import { type Binding, PortTable } from './port-table.ts';
import { parsePublish } from './publish.ts';
import { refusal } from './testing.ts';

const table = (...bindings: Binding[]): PortTable => {
  const published = new PortTable();
  for (const binding of bindings) published.add(binding, 'frontend/web');
  return published;
};
const tcp = (hostAddress: string, hostPort: number): Binding => ({ protocol: 'tcp', hostAddress, hostPort });
const allocate = (
  specs: string | string[],
  more: Partial<PortContext> = {},
  isFree?: (binding: Binding) => boolean,
): string[] =>
  allocatePorts(
    [specs].flat().flatMap(parsePublish),
    { published: new PortTable(), families: [4], reserved: { first: 40000, last: 40002 }, ...more },
    isFree,
  ).map(({ hostAddress, hostPort, port }) => `${hostAddress}>${hostPort}>${port}`);

describe('publishing', () => {
  test('without a host address is for each family that the endpoint has', () => {
    expect(allocate('8080:80', { families: [4] })).toEqual(['0.0.0.0>8080>80']);
    expect(allocate('8080:80', { families: [4, 6] })).toEqual(['0.0.0.0>8080>80', '::>8080>80']);
    expect(allocate('8080:80', { families: [6] })).toEqual(['::>8080>80']);
  });

  test('with a host address is for that alone', () => {
    expect(allocate('0.0.0.0:8080:80', { families: [4, 6] })).toEqual(['0.0.0.0>8080>80']);
    expect(allocate('[::1]:8080:80', { families: [4, 6] })).toEqual(['::1>8080>80']);
  });

  test("follows the network's host binding, and opens nothing beside it", () => {
    const hostBinding = '127.0.0.1';
    expect(allocate('8080:80', { families: [4, 6], hostBinding })).toEqual(['127.0.0.1>8080>80']);
    expect(allocate('0.0.0.0:8080:80', { hostBinding })).toEqual(['0.0.0.0>8080>80']);
    expect(refusal(() => allocate('8080:80', { families: [6], hostBinding }))).toMatchObject({ code: 'INVALID' });
  });

  test('in a family that is routed takes no port of the host, whatever it asks for, and is said once', () => {
    const both = { families: [4, 6], published: table(tcp('::', 8080)) } as const;
    expect(allocate('8080:80', { ...both, routed: [6] })).toEqual(['0.0.0.0>8080>80', '::>0>80']);
    expect(allocate('8080:80', { ...both, routed: [4, 6] })).toEqual(['0.0.0.0>0>80', '::>0>80']);
    expect(allocate('[2001:db8::1]:8080:80', { ...both, routed: [6] })).toEqual(['::>0>80']);
    expect(allocate(['80', '8081:80', '81'], { routed: [4] })).toEqual(['0.0.0.0>0>80', '0.0.0.0>0>81']);
  });

  test('in a family that is routed leaves every port of the host to others', () => {
    const published = table({ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 0 });
    expect(allocate('80', { published, reserved: { first: 80, last: 80 } })).toEqual(['0.0.0.0>80>80']);
  });

  test('on an address of a family that the endpoint has not is refused', () => {
    expect(refusal(() => allocate('[::1]:8080:80', { endpoint: 'frontend/web' }))).toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('frontend/web has no IPv6 address'),
    });
    expect(refusal(() => allocate('224.0.0.1:8080:80'))).toMatchObject({ code: 'INVALID' });
  });

  test.each([
    ['8080:80', tcp('0.0.0.0', 8080), 'Bind for 0.0.0.0:8080 failed: port is already allocated'],
    ['8080:80', tcp('127.0.0.1', 8080), 'Bind for 0.0.0.0:8080 failed: port is already allocated'],
    ['127.0.0.1:8080:80', tcp('0.0.0.0', 8080), 'Bind for 127.0.0.1:8080 failed: port is already allocated'],
    ['192.0.2.1:8080:80', tcp('192.0.2.1', 8080), 'Bind for 192.0.2.1:8080 failed: port is already allocated'],
    ['[::]:8080:80', tcp('::1', 8080), 'Bind for :::8080 failed: port is already allocated'],
  ])("%s is refused in Docker's words when another has it", (spec, taken, message) => {
    const error = refusal(() => allocate(spec, { families: [4, 6], published: table(taken) }));
    expect(error).toMatchObject({
      code: 'PORT_ALLOCATED',
      message,
      hint: expect.stringContaining('frontend/web has published it'),
    });
  });

  test.each([
    ['127.0.0.1:8080:80', tcp('127.0.0.2', 8080)],
    ['8080:80', tcp('::', 8080)],
    ['8080:80/udp', tcp('0.0.0.0', 8080)],
    ['8081:80', tcp('0.0.0.0', 8080)],
  ])('%s goes beside what does not collide with it', (spec, taken) => {
    expect(allocate(spec, { published: table(taken) })).toHaveLength(1);
  });

  test('what a process of the host holds is refused likewise', () => {
    expect(refusal(() => allocate('8080:80', {}, () => false))).toMatchObject({
      code: 'PORT_ALLOCATED',
      message: 'Bind for 0.0.0.0:8080 failed: port is already allocated',
      hint: expect.stringContaining('a process of the host holds it'),
    });
  });

  test('one of a range takes the first that is free', () => {
    const published = table(tcp('0.0.0.0', 8000));
    expect(allocate('8000-8005:80', { published }, ({ hostPort }) => hostPort !== 8001)).toEqual(['0.0.0.0>8002>80']);
    expect(refusal(() => allocate('8000-8001:80', { published }, () => false))).toMatchObject({
      code: 'PORT_ALLOCATED',
      message: expect.stringContaining('all ports are allocated'),
    });
  });

  test('a range takes each of its ports', () => {
    expect(allocate('8000-8001:80-81')).toEqual(['0.0.0.0>8000>80', '0.0.0.0>8001>81']);
  });

  test('ephemeral ports come from the reserved range, the same one for both families', () => {
    const published = table(tcp('127.0.0.1', 40000));
    const isFree = ({ hostAddress, hostPort }: Binding) => !(hostAddress === '::' && hostPort === 40001);
    expect(allocate('80', { families: [4, 6], published }, isFree)).toEqual(['0.0.0.0>40002>80', '::>40002>80']);
    expect(refusal(() => allocate('80', {}, () => false))).toMatchObject({ code: 'PORT_ALLOCATED' });
  });

  test('ephemeral ports go on from where the caller says, and around', () => {
    expect(allocate(['80', '81', '82'], { ephemeralStart: 40001 })).toEqual([
      '0.0.0.0>40001>80',
      '0.0.0.0>40002>81',
      '0.0.0.0>40000>82',
    ]);
    expect(allocate('80', { ephemeralStart: 40003 })).toEqual(['0.0.0.0>40000>80']);
    expect(refusal(() => allocate(['80', '81', '82', '83'], { ephemeralStart: 40001 }))).toMatchObject({
      code: 'PORT_ALLOCATED',
    });
  });

  test('two specs of one request do not take the same port', () => {
    expect(refusal(() => allocate(['8080:80', '127.0.0.1:8080:81']))).toMatchObject({ code: 'PORT_ALLOCATED' });
    expect(allocate(['80', '80'])).toEqual(['0.0.0.0>40000>80', '0.0.0.0>40001>80']);
  });

  test('is refused as a whole, with nothing taken', () => {
    const published = table(tcp('0.0.0.0', 8081));
    expect(refusal(() => allocate(['8080:80', '8081:81'], { published }))).toMatchObject({ code: 'PORT_ALLOCATED' });
    expect(published.holder(tcp('0.0.0.0', 8080))).toBeUndefined();
  });

  test('asks a probe that takes its time for the same', async () => {
    const requests = parsePublish('8000-8005:80');
    const ports = await allocatePortsAsync(
      requests,
      { published: new PortTable(), families: [4] },
      async ({ hostPort }) => hostPort === 8004,
    );
    expect(ports).toEqual([{ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8004, port: 80 }]);
  });

  test('finds an ephemeral port beside 20,000 others at once', () => {
    const published = new PortTable();
    for (let port = 32768; port < 52768; port++) published.add(tcp('0.0.0.0', port), 'x');
    let asked = 0;
    const context = { published, families: [4] as const };
    const [port] = allocatePorts(parsePublish('80'), context, () => ++asked > 0);
    expect([port?.hostPort, asked]).toEqual([52768, 1]);
  });
});

test('a port table never lets two holders have bindings that collide', () => {
  const binding = fc.record({
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    hostAddress: fc.constantFrom('0.0.0.0', '127.0.0.1', '192.0.2.1', '::', '::1'),
    hostPort: fc.integer({ min: 1, max: 3 }),
  });
  const collide = (a: Binding, b: Binding): boolean => {
    const wild = (text: string) => text === '0.0.0.0' || text === '::';
    const sameFamily = a.hostAddress.includes(':') === b.hostAddress.includes(':');
    const sameAddress = a.hostAddress === b.hostAddress || wild(a.hostAddress) || wild(b.hostAddress);
    return a.protocol === b.protocol && a.hostPort === b.hostPort && sameFamily && sameAddress;
  };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), binding), { maxLength: 30 }), (steps) => {
      const published = new PortTable();
      const model: Binding[] = [];
      for (const [add, wanted] of steps) {
        const taken = model.some((other) => collide(other, wanted));
        expect(published.holder(wanted) !== undefined).toBe(taken);
        if (add && !taken) {
          published.add(wanted, 'x');
          model.push(wanted);
        }
        const last = add ? undefined : model.pop();
        if (last !== undefined) published.remove(last);
        const lowest = [1, 2, 3].find((port) => !model.some((b) => b.protocol === 'tcp' && b.hostPort === port));
        expect(published.lowestFree('tcp', 1, 3)).toBe(lowest);
      }
    }),
  );
});

test('a published port is what the endpoint record holds', () => {
  const ports: PublishedPort[] = allocatePorts(parsePublish('8080:80'), { published: new PortTable(), families: [4] });
  expect(ports).toEqual([{ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80 }]);
});
