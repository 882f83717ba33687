/**
 * Fails when a module of src/ imports one of a layer that it must not know (docs/architecture.md), or a package
 * that belongs to one folder alone.
 *
 *   node scripts/check-layers.ts
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../src/', import.meta.url));

/** The layers that each layer may import, itself apart. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: ['api'],
  api: ['model'],
  policy: ['model', 'api'],
  network: ['model', 'api'],
  service: ['model', 'api'],
  store: ['model', 'api'],
  loader: ['model', 'api'],
  maps: ['loader', 'model', 'api'],
  netlink: ['loader', 'model', 'api'],
  reconcile: ['maps', 'netlink', 'loader', 'policy', 'network', 'service', 'model', 'api'],
  observe: ['maps', 'netlink', 'loader', 'model', 'api'],
  integrations: ['model', 'api'],
  dns: ['model', 'api'],
  cli: ['model', 'api'],
  daemon: [
    'reconcile',
    'observe',
    'integrations',
    'store',
    'maps',
    'netlink',
    'loader',
    'policy',
    'network',
    'service',
    'model',
    'api',
  ],
};

/** Packages that one folder alone imports, so that each stays replaceable. */
const packageOwner: Readonly<Record<string, string>> = {
  koffi: 'loader/ffi/',
  lmdb: 'store/',
  '@grpc/grpc-js': 'store/etcd/',
  '@grpc/proto-loader': 'store/etcd/',
  fastify: 'daemon/http/',
  commander: 'cli/',
  'dns-packet': 'dns/',
};

/** Imports across the layers on purpose: `vetch daemon` and `vetch resolver run` are commands, and start what they name. */
const exceptions = new Set([
  'cli/daemon.ts -> daemon/main.ts',
  'cli/daemon.ts -> daemon/options.ts',
  'cli/resolver/run.ts -> dns/main.ts',
  'cli/resolver/run.ts -> dns/resolv-conf.ts',
]);

const patterns = [
  /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  /\bnew\s+(?:Worker|URL)\(\s*['"](\.[^'"]+\.ts)['"]/g,
];

/** The specifiers of every static, dynamic and worker import in a module's text. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** Why `file` (relative to src/) must not import `specifier`, or undefined. */
export function violation(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) {
    const name = specifier.startsWith('@') ? specifier.split('/', 2).join('/') : (specifier.split('/')[0] ?? '');
    const owner = packageOwner[name];
    return owner && !file.startsWith(owner) ? `${name} is imported only in src/${owner}` : undefined;
  }
  const target = relative(source, resolve(source, dirname(file), specifier));
  const from = file.split('/')[0] ?? '';
  const to = target.split('/')[0] ?? '';
  if (target.startsWith('..')) return file.endsWith('.test.ts') ? undefined : 'src/ imports nothing outside of src/';
  if (from === to || file.endsWith('.test.ts') || exceptions.has(`${file} -> ${target}`)) return undefined;
  const allowed = mayImport[from];
  if (!allowed) return `src/${from} is no layer: add it to scripts/check-layers.ts`;
  return allowed.includes(to) ? undefined : `${from} must not know ${to}`;
}

/** Whether a module of src/ loads `node:http` in the way that brings fetch along (src/api/node-http.ts). */
export function importsHttp(text: string): boolean {
  return /^import\s+(?!type\b)[^;]*from 'node:https?'/m.test(text);
}

function main(): void {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  let violations = 0;
  for (const file of files.sort()) {
    const text = readFileSync(join(source, file), 'utf8');
    if (importsHttp(text) && !file.endsWith('.test.ts')) {
      violations += 1;
      process.stderr.write(
        `src/${file} imports node:http: take it from src/api/node-http.ts, which costs 10 MB less\n`,
      );
    }
    for (const specifier of importsOf(text)) {
      const why = violation(file, specifier);
      if (!why) continue;
      violations += 1;
      process.stderr.write(`src/${file} imports ${specifier}: ${why}\n`);
    }
  }
  if (violations > 0) process.exitCode = 1;
}

if (import.meta.main) main();
