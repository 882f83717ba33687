import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** One kernel that the tests run on. */
export interface Kernel {
  /** As the tests' output calls it. */
  readonly name: string;
  /** Debian's package, or a package that depends on it. */
  readonly package: string;
  /** Not part of the whole test run. */
  readonly extra?: boolean;
}

/** An unpacked kernel package. */
export interface KernelFiles {
  readonly image: string;
  /** Holds `lib/modules/<release>`, with depmod's indexes. */
  readonly root: string;
  readonly release: string;
}

function output(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' });
}

/** The package that a metapackage stands for: the image with a version in its name. */
function concrete(name: string): string {
  return /Depends: (linux-image-\d\S+)/.exec(output('apt-cache', 'depends', name))?.[1] ?? name;
}

/**
 * Downloads and unpacks a kernel under `cache`, unless it is there; nothing is installed.
 *
 * @throws Error when the package does not exist or holds no kernel.
 */
export function fetchKernel(kernel: Kernel, cache: string): KernelFiles {
  const name = concrete(kernel.package);
  const root = join(cache, name);
  if (!existsSync(root)) {
    const partial = `${root}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    execFileSync('apt-get', ['-qq', 'download', name], { cwd: partial, stdio: ['ignore', 'ignore', 'pipe'] });
    const archive = readdirSync(partial).find((file) => file.endsWith('.deb'));
    if (!archive) throw new Error(`apt-get download ${name} left no package`);
    execFileSync('dpkg-deb', ['-x', join(partial, archive), partial]);
    rmSync(join(partial, archive));
    const release = readdirSync(join(partial, 'lib/modules'))[0];
    if (!release) throw new Error(`${name} holds no modules`);
    execFileSync('depmod', ['-b', partial, release]);
    renameSync(partial, root);
  }
  const release = readdirSync(join(root, 'lib/modules'))[0];
  const image = readdirSync(join(root, 'boot')).find((file) => file.startsWith('vmlinuz-'));
  if (!release || !image) throw new Error(`${root} holds no kernel; remove it, and it is fetched again`);
  return { image: join(root, 'boot', image), root, release };
}
