/** What is not measured yet, in the table's own words. */
export const pending: readonly (readonly [row: number, name: string, goal: string])[] = [
  [
    6,
    '64-byte forwarding of a published port, one core: XDP to another device; TC to a container',
    '>= 4.5×; >= 1.8× the routed path with conntrack',
  ],
  [9, 'overlay container to container: round trip; bulk, against the bare underlay', '<= 1.25×; >= 0.90×'],
  [
    14,
    'start to everything programmed, 10,000 endpoints and 100,000 remote ones: empty kernel; kernel already right',
    '<= 5 s; <= 1.5 s',
  ],
  [15, 'flow events: decoded and filtered a second by one core; cost to row 1 when on', '>= 2,000,000; <= 2%'],
  [16, 'publish 200 ports on one container', '<= 50 ms'],
];
