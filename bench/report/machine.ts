import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** What the figures belong to. */
export function machineFacts(): { machine: string; kernel: string } {
  const [first, ...others] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const virtual = readFileSync('/proc/cpuinfo', 'utf8').includes('hypervisor') ? ', virtual machine' : '';
  return { machine: `${1 + others.length} × ${first?.model ?? 'CPU'}, ${memory} GiB${virtual}`, kernel: release() };
}

/** Of all that takes part. */
export function versions(): Record<string, string> {
  const package_ = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const commit = said('git', ['-C', new URL('../../', import.meta.url).pathname, 'rev-parse', '--short', 'HEAD']);
  return {
    vetch: `${package_.version}${commit ? ` (${commit})` : ''}`,
    node: process.versions.node,
    sockperf: version(said('sockperf', ['--version'])),
    iperf3: version(said('iperf3', ['--version'])),
    nftables: version(said('nft', ['--version'])),
    iproute2: version(said('ip', ['-V'])),
    docker: version(said('dockerd', ['--version'])),
  };
}

function version(text: string): string {
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? 'not installed';
}

function said(program: string, args: readonly string[]): string {
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8', timeout: 5000 });
  return status === 0 ? stdout.trim() : '';
}
