import type { Host } from '../../test/lab/host.ts';
import type { Subject } from '../measure/interleave.ts';

const program = new URL('../programs/event-flags.ts', import.meta.url).pathname;
const cli = new URL('../../bin/vetch', import.meta.url).pathname;

/** Where a follower's lines go: nobody has to keep them. */
const lines = '/run/flows';

/** Has a real client follow all flow events of a host, as an operator does. It ends with the host. */
export function follow(host: Host): void {
  host.spawn('sh', '-c', `VETCH_SOCKET=${host.socket} exec ${cli} flows --follow > ${lines}`);
}

/** How many events the follower has shown. */
export async function followed(host: Host): Promise<number> {
  return Number(await host.must('sh', '-c', `wc -l < ${lines}`));
}

/** The measurement with the datapath telling of flows, and without. */
export function withAndWithout(host: Host, { measure }: Subject): readonly [on: Subject, off: Subject] {
  const on = async () => {
    await turn(host, 'on');
    return measure();
  };
  const off = async (): Promise<number> => {
    await turn(host, 'off');
    const value = await measure();
    // The daemon has repaired it meanwhile, or has not.
    return (await turn(host, 'off')) ? off() : value;
  };
  return [
    { name: 'on', measure: on },
    { name: 'off', measure: off },
  ];
}

/** @returns whether it told of them until now */
async function turn(host: Host, to: 'on' | 'off'): Promise<boolean> {
  const said = await host.must(process.execPath, program, `${host.bpffs}/v1/maps`, to);
  return (JSON.parse(said) as { were: boolean }).were;
}
