import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const prefix = 'vetch-lab-';

/** Where cgroup2 is mounted: some machines have version 1 beside it. */
export function cgroupRoot(): string {
  const mount = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find((fields) => fields[2] === 'cgroup2');
  if (!mount?.[1]) throw new Error('cgroup2 is not mounted');
  return mount[1];
}

let count = 0;

/** A cgroup for one lab, named after this process so that a later run knows whether it is still in use. */
export function createLabCgroup(): string {
  const path = join(cgroupRoot(), `${prefix}${process.pid}-${count++}`);
  mkdirSync(path);
  return path;
}

/** Kills every process in a cgroup and below, and removes them all. */
export async function removeCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return;
  kill(path);
  for (let attempt = 0; ; attempt++) {
    try {
      removeTree(path);
      return;
    } catch (error) {
      // A killed process leaves its cgroup a little later.
      if (attempt === 100) throw error;
      await setTimeout(50);
    }
  }
}

/** A directory on disk for one lab. */
export function createLabDirectory(): string {
  return mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
}

/** Removes the cgroups and directories of labs whose process is gone. */
export async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(cgroupRoot()).filter(isLeftover)) await removeCgroup(join(cgroupRoot(), name));
  for (const name of readdirSync(tmpdir()).filter(isLeftover)) rmSync(join(tmpdir(), name), { recursive: true });
}

function isLeftover(name: string): boolean {
  const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

function kill(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
  } catch {
    // Gone already.
  }
}

function removeTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  }
  rmdirSync(path);
}
