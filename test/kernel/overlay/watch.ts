import type { Background } from '../../lab/process.ts';
import type { Sandbox } from './sandbox.ts';

/** What a device sees until it is asked. @param filter of tcpdump */
export async function watch(sandbox: Sandbox, device: string, ...filter: string[]): Promise<Background> {
  const dump = sandbox.spawn('tcpdump', '-xx', '-Unli', device, ...filter);
  await dump.until(/listening/);
  return dump;
}

/** The packets of a dump, as hex. */
export function packetsOf({ output }: Background): string[] {
  const packets = output.split(/^\d\d:\d\d:/m).slice(1);
  return packets.map((text) =>
    [...text.matchAll(/0x[0-9a-f]+: +([0-9a-f ]+)/g)].map(([, hex = '']) => hex.replaceAll(' ', '')).join(''),
  );
}
