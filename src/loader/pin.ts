import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pinObject } from './bpffs.ts';

/**
 * Goes up whenever a map's bytes or its meaning change: a pin keeps its old meaning, so a new meaning gets a new path.
 */
export const layoutVersion = 1;

/** `BPF_FS_MAGIC` of linux/magic.h */
const bpffsMagic = 0xcafe4a11;

/** Whether this directory is in a bpffs, where objects can be pinned. */
export function isBpffs(directory: string): boolean {
  try {
    return statfsSync(directory).type === bpffsMagic;
  } catch {
    return false;
  }
}

/**
 * The name of a pin for a device or cgroup: a bpffs takes no dots and a name has no slashes, but `eth0.100` and
 * `/system.slice` have.
 */
export function pinName(name: string): string {
  return name.replace(/[%./]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
}

/** What `pinName` was made from. */
export function unpinName(pin: string): string {
  return pin.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Ends the name of a pin that is about to take another's place: a crash may leave one. No `pinName` ends so. */
const unfinished = '%new';

/** Where everything of ours is pinned: `v1/maps`, `v1/progs`, `v1/links/<hook>` beneath a directory of a bpffs. */
export class PinTree {
  /** Without the version. */
  readonly directory: string;
  readonly root: string;
  readonly maps: string;

  constructor(directory: string, version: number = layoutVersion) {
    this.directory = directory;
    this.root = join(directory, `v${version}`);
    this.maps = join(this.root, 'maps');
  }

  map(name: string): string {
    return join(this.maps, name);
  }

  program(name: string): string {
    return join(this.root, 'progs', name);
  }

  /** @param target the device or the cgroup. */
  link(hook: string, target: string): string {
    return join(this.root, 'links', pinName(hook), pinName(target));
  }

  /** Every pinned link of this version. */
  links(): { readonly hook: string; readonly target: string; readonly path: string }[] {
    const links = join(this.root, 'links');
    return entries(links).flatMap((hook) =>
      pins(join(links, hook)).map((target) => ({
        hook: unpinName(hook),
        target: unpinName(target),
        path: join(links, hook, target),
      })),
    );
  }

  /** Names of every pinned program of this version. */
  programs(): string[] {
    return pins(join(this.root, 'progs'));
  }

  /** Makes the directories. */
  create(): void {
    for (const directory of [this.maps, join(this.root, 'progs'), join(this.root, 'links')]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
  }

  /** Layout versions that are pinned beneath the directory, ascending: more than ours after an upgrade. */
  versions(): number[] {
    return entries(this.directory)
      .map((name) => /^v(\d+)$/.exec(name)?.[1])
      .filter((version) => version !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** Removes every pin of this version; returns the paths of what was pinned. The directory itself stays. */
  removeAll(): string[] {
    return removeTree(this.root);
  }
}

/**
 * Pins in the place of what is pinned there, if anything: whoever opens the path finds the old object or the new one.
 */
export function repin(object: { readonly fd: number }, path: string): void {
  const parent = join(path, '..');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const beside = `${path}${unfinished}`;
  unpin(beside);
  pinObject(object.fd, beside);
  renameSync(beside, path);
}

/** Removes a pin; false when there is none. */
export function unpin(path: string): boolean {
  if (!existsSync(path)) return false;
  unlinkSync(path);
  return true;
}

function entries(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

function pins(directory: string): string[] {
  return entries(directory).filter((name) => !name.endsWith(unfinished));
}

function removeTree(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const removed: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      removed.push(...removeTree(path));
    } else {
      unlinkSync(path);
      removed.push(path);
    }
  }
  rmdirSync(directory);
  return removed;
}
