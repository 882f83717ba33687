import { portOf, ports, type Tool } from './path.ts';
import { latencyCpu, pinned } from './pinned.ts';

/**
 * Milliseconds between two starts. Each client sleeps 2.1 s of its own accord, works for 1, and sleeps 0.1 again, so
 * that the next one may sleep meanwhile.
 */
export const sockperfPitch = 1300;

/** The round trip of a TCP message of 14 bytes, sent when the one before has come back: the median of a second, in µs. */
export const roundTrip: Tool = {
  async serve(machine) {
    const listen = ['--tcp', '-i', '0.0.0.0', '-p', String(ports.sockperf)];
    const server = machine.spawn(...pinned(latencyCpu, 'sockperf', 'server', ...listen));
    await server.until(/to terminate|block on socket/);
    return server;
  },
  async subject(path) {
    const where = ['--tcp', '-i', path.address, '-p', portOf(path, 'sockperf')];
    const command = pinned(latencyCpu, 'sockperf', 'ping-pong', ...where, '--full-rtt', '-t', '1');
    return {
      name: path.name,
      async measure() {
        const output = await path.client.must(...command);
        const found = /percentile 50\.000 =\s*([\d.]+)/.exec(output)?.[1];
        if (!found) throw new Error(`sockperf over ${path.name} said no median: ${output}`);
        return Number(found);
      },
    };
  },
};
