import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BpfObject } from '../../src/loader/object.ts';
import { Netlink, type VethIndexes } from '../../src/netlink/netlink.ts';
import { createNetns, type Netns, withNetns } from '../../src/netlink/netns.ts';

/** Network namespaces without names, each with a socket: nothing is left when they are closed. */
export class World implements Disposable {
  readonly host: Netns = createNetns();
  readonly box: Netns = createNetns();
  readonly inHost: Netlink = Netlink.open(this.host);
  readonly inBox: Netlink = Netlink.open(this.box);

  /** `vt0` in the host, `eth0` in the box; both down. */
  veth(): VethIndexes {
    return this.inHost.createVeth({
      name: 'vt0',
      mac: '02:00:00:00:00:01',
      peer: { name: 'eth0', mac: '02:00:00:00:00:02', netns: this.box },
    });
  }

  /** Likewise, both up, with 10.88.0.1 and fd00:88::1 on the host's end and .2 and ::2 on the other. */
  connected(): VethIndexes {
    const made = this.veth();
    for (const [netlink, index, number] of [
      [this.inHost, made.index, 1],
      [this.inBox, made.peerIndex, 2],
    ] as const) {
      netlink.addAddress(index, `10.88.0.${number}/16`);
      netlink.addAddress(index, `fd00:88::${number}/64`, { noDad: true });
      netlink.setLink(index, { up: true });
    }
    return made;
  }

  [Symbol.dispose](): void {
    for (const closed of [this.inHost, this.inBox, this.host, this.box]) closed.close();
  }
}

/** The object that the loader's own tests use: two tc programs are in it. */
export function tcPrograms(): BpfObject {
  return BpfObject.load(fileURLToPath(new URL('../kernel/fixtures/loader.bpf.o', import.meta.url)));
}

/** What a call throws. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** For what the kernel does in its own time, such as a device's state. Fails after five seconds. */
export function waitFor(condition: () => boolean): void {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it has not happened within five seconds');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

/** ip(8) in a network namespace: another's view of what ours has done. */
export function ip(ns: Netns, ...args: readonly string[]): string {
  return withNetns(ns, () => execFileSync('ip', args, { encoding: 'utf8' }));
}
