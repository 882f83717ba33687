import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { ifNameToIndex } from '../../../src/loader/ffi/libc.ts';
import { type Netns, withNetns } from '../../../src/netlink/netns.ts';
import { Background, type RunResult, run } from '../../lab/process.ts';

/** A network namespace in which programs run. */
export class Sandbox implements AsyncDisposable {
  readonly netns: Netns;
  readonly #background: Background[] = [];

  constructor(netns: Netns) {
    this.netns = netns;
  }

  exec(...command: string[]): Promise<RunResult> {
    return withNetns(this.netns, () => ({ started: run(command) })).started;
  }

  spawn(...command: string[]): Background {
    const started = withNetns(this.netns, () => new Background(command));
    this.#background.push(started);
    return started;
  }

  /** Commands of iproute2. */
  ip(...lines: string[]): void {
    withNetns(this.netns, () => {
      execFileSync('ip', ['-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] });
    });
  }

  sysctl(path: string, value: number): void {
    withNetns(this.netns, () => writeFileSync(`/proc/sys/net/${path}`, String(value)));
  }

  index(device: string): number {
    return withNetns(this.netns, () => ifNameToIndex(device));
  }

  mac(device: string): string {
    const link = withNetns(this.netns, () => execFileSync('ip', ['-j', 'link', 'show', device], { encoding: 'utf8' }));
    return (JSON.parse(link) as [{ address: string }])[0].address;
  }

  /** Sends a frame as it is. */
  async sendFrame(device: string, frame: Uint8Array): Promise<void> {
    const program = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
s.send(bytes.fromhex(sys.argv[2]))`;
    const { status, stderr } = await this.exec('python3', '-c', program, device, Buffer.from(frame).toString('hex'));
    if (status !== 0) throw new Error(stderr);
  }

  /** Kills what was started here. */
  async stop(): Promise<void> {
    await Promise.all(this.#background.splice(0).map((process) => process.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.netns.close();
  }
}
