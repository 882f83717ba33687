import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { library } from '../../src/loader/ffi/library.ts';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.bpf.o`, import.meta.url));

/** One program and one map of each kind. */
export const loaderObject = fixture('loader');
/** A program that the verifier refuses, behind one that it takes. */
export const refusedObject = fixture('refused');

/** A bpffs of the test's own. Disposing unmounts it. */
export function ownBpffs(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'vt-loader-bpffs-'));
  execFileSync('mount', ['-t', 'bpf', 'bpf', path]);
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('umount', [path]);
      rmdirSync(path);
    },
  };
}

/** A cgroup of the test's own, beneath the root of the cgroup2 tree. */
export function ownCgroup(): Disposable & { readonly path: string } {
  const mounted = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2');
  const path = join(mounted?.[1] ?? '/sys/fs/cgroup', `vt-loader-${process.pid}-${Date.now()}`);
  mkdirSync(path);
  return { path, [Symbol.dispose]: () => rmdirSync(path) };
}

const declare = library('libc.so.6', 'a glibc system is needed');
const setns = declare<(fd: number, type: number) => number>('int setns(int fd, int nstype)');
const newNet = 0x4000_0000;

/** A network namespace with a veth pair in it: `va` and `vb`. */
export class OwnNetns implements Disposable {
  readonly name = `vt-loader-${process.pid}-${Date.now()}`;

  constructor() {
    execFileSync('ip', ['netns', 'add', this.name]);
    this.ip('link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb');
    this.ip('link', 'set', 'va', 'up');
    this.ip('link', 'set', 'vb', 'up');
  }

  ip(...args: string[]): string {
    return execFileSync('ip', ['-n', this.name, ...args], { encoding: 'utf8' });
  }

  ifindex(device: string): number {
    return Number(this.ip('-o', 'link', 'show', device).split(':')[0]);
  }

  /** Runs a synchronous function with the thread in this namespace. */
  within<T>(work: () => T): T {
    const home = openSync('/proc/thread-self/ns/net', 'r');
    const there = openSync(`/var/run/netns/${this.name}`, 'r');
    try {
      if (setns(there, newNet) !== 0) throw new Error(`cannot enter ${this.name}`);
      return work();
    } finally {
      if (setns(home, newNet) !== 0) process.abort();
      closeSync(home);
      closeSync(there);
    }
  }

  [Symbol.dispose](): void {
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

/** Descriptors of programs, maps and links that this process has: a leak shows as a higher number. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('anon_inode:bpf');
    } catch {
      return false;
    }
  }).length;
}
