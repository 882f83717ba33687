import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Engine } from './engine.ts';
import { must } from './process.ts';

const checkout = new URL('../../', import.meta.url).pathname;
const dockerfile = `${checkout}examples/daemon-in-docker/Dockerfile`;

/** What the base image and its packages bring, taken from this machine. */
const programs = ['/bin/sh', '/usr/bin/dirname', '/usr/bin/readlink'];

/**
 * Makes the image that the example's Dockerfile describes, without a registry: its COPY lines say what of the checkout
 * goes where, and what its base image brings is this machine's own. Gives the image's name.
 */
export async function importDaemonImage(engine: Engine): Promise<string> {
  const tree = join(engine.host.state, '..', 'daemon-image');
  for (const name of ['usr/bin', 'usr/lib', 'usr/lib64', 'tmp', 'etc', 'run', 'var/lib/vetch'])
    mkdirSync(join(tree, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(tree, name));
  for (const [from, to] of await copies()) cpSync(from, join(tree, to), { recursive: true, verbatimSymlinks: true });
  const node = realpathSync(process.execPath);
  const libraries = ['libbpf.so.1'];
  await Promise.all([node, ...programs].map(async (path) => libraries.push(...(await librariesOf(path)))));
  const [libbpf = ''] = (await must(['sh', '-c', 'ldconfig -p | sed -n "s/.*libbpf.so.1 .*=> //p"'])).split('\n');
  for (const library of new Set([libbpf, ...(await librariesOf(libbpf)), ...libraries.slice(1)]))
    copy(library, join(tree, 'usr', library.replace(/^\/usr/, '')));
  for (const path of programs) copy(path, join(tree, 'usr/bin', basename(path)));
  copy(node, join(tree, 'usr/bin/node'));
  const archive = `${tree}.tar`;
  await must(['tar', '-C', tree, '-cf', archive, '.'], { timeoutSeconds: 60 });
  const [, entrypoint = ''] = /^ENTRYPOINT (.*)$/m.exec(readFileSync(dockerfile, 'utf8')) ?? [];
  await engine.docker('import', '--change', `ENTRYPOINT ${entrypoint}`, archive, 'vetch');
  return 'vetch';
}

/** From the checkout, built, to the image: the COPY lines of the last stage. */
async function copies(): Promise<[from: string, to: string][]> {
  const [, last = ''] = readFileSync(dockerfile, 'utf8').split(/^FROM .*(?<!AS build)$/m);
  const all = [...last.matchAll(/^COPY (?:--from=build )?(.*) (\S+)$/gm)].flatMap(([, sources = '', to = '']) =>
    sources.split(' ').map((source): [string, string] => {
      const from = join(checkout, source.replace(/^\/src\//, ''));
      return [from, to.endsWith('/') ? join(to, basename(from)) : to];
    }),
  );
  const installed = join(checkout, 'node_modules');
  const [, modules = ''] = all.find(([from]) => from === installed) ?? [];
  const packages = (await productionPackages()).map((path): [string, string] => [
    path,
    join(modules, relative(installed, path)),
  ]);
  return [...all.filter(([from]) => from !== installed), ...packages];
}

/** What `npm prune --omit=dev` leaves. */
async function productionPackages(): Promise<string[]> {
  const list = await must(['npm', '--prefix', checkout, 'ls', '--omit=dev', '--all', '--parseable']);
  return list.split('\n').filter((path) => path.includes('/node_modules/'));
}

async function librariesOf(path: string): Promise<string[]> {
  return [...(await must(['ldd', path])).matchAll(/(\/\S+) \(0x/g)].map(([, library = '']) => library);
}

function copy(from: string, to: string): void {
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
}
