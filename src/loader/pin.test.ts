import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PinTree, pinName, unpinName } from './pin.ts';

test('pins lie in the documented tree', () => {
  const tree = new PinTree('/sys/fs/bpf/vetch', 3);
  expect(tree.map('endpoints')).toBe('/sys/fs/bpf/vetch/v3/maps/endpoints');
  expect(tree.program('from_endpoint')).toBe('/sys/fs/bpf/vetch/v3/progs/from_endpoint');
  expect(tree.link('from_uplink', 'eth0')).toBe('/sys/fs/bpf/vetch/v3/links/from_uplink/eth0');
  expect(tree.link('from_uplink', 'bond0.7')).toBe('/sys/fs/bpf/vetch/v3/links/from_uplink/bond0%2e7');
});

test('every name has a pin of its own that a bpffs takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (name) => {
      expect(pinName(name)).not.toMatch(/[./]/);
      expect(unpinName(pinName(name))).toBe(name);
    }),
  );
});
