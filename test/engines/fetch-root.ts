import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineRelease } from './engines.ts';

/** The engine and its compose, and what containers of a lab run: they have the folder's /usr. */
const packages = [
  ...['docker.io', 'docker-cli', 'docker-compose', 'iptables', 'ca-certificates'],
  ...['iproute2', 'iputils-ping', 'procps', 'hostname', 'python3', 'bind9-dnsutils', 'iperf3'],
];

/** In a folder: what it was made with. */
const listName = 'packages';

/**
 * Makes a folder with a release's engine under `cache`, unless one is there that was made with the same packages.
 * Nothing is installed on the machine.
 *
 * @returns the folder
 * @throws Error when the suite has another version by now
 */
export function fetchRoot({ name, suite }: EngineRelease, cache: string): string {
  const root = join(cache, suite);
  const list = packages.join(',');
  if (listIn(root) !== list) {
    const partial = `${root}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    const args = ['--variant=minbase', `--include=${list}`, suite, partial, 'http://deb.debian.org/debian'];
    process.stdout.write(`fetching Docker ${name} from Debian ${suite}; it is kept in ${root}\n`);
    // In a mount namespace of its own: what it mounts in the folder is gone with it, however it ends
    const command = ['--mount', 'debootstrap', ...args];
    execFileSync('unshare', command, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 1_200_000 });
    rmSync(join(partial, 'var/cache/apt'), { recursive: true, force: true });
    writeFileSync(join(partial, listName), list);
    rmSync(root, { recursive: true, force: true });
    renameSync(partial, root);
  }
  const version = versionIn(root);
  if (version.startsWith(`${name}.`)) return root;
  throw new Error(`Debian ${suite} has Docker ${version} where ${name} is expected: say so in test/engines/engines.ts`);
}

function listIn(root: string): string | undefined {
  const path = join(root, listName);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The version of the engine in a folder. @throws Error when it has none */
export function versionIn(root: string): string {
  const status = readFileSync(join(root, 'var/lib/dpkg/status'), 'utf8');
  const [, version] = /^Package: docker\.io\n(?:[^\n]+\n)*?Version: ([^+~-]+)/m.exec(status) ?? [];
  if (version === undefined) throw new Error(`${root} holds no engine; remove it, and it is fetched again`);
  return version;
}
