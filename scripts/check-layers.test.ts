import { expect, test } from 'vitest';
import { importsHttp, importsOf, violation } from './check-layers.ts';

test('every way to import is seen', () => {
  const text = `
import a from './a.ts';
import type { B } from './b.ts';
import {
  c,
} from './c.ts';
export * from './d.ts';
import './e.ts';
const f = await import('./f.ts');
const worker = new Worker(new URL('./g.ts', import.meta.url));
// import h from './h.ts';
/* import i from './i.ts'; */
`;
  expect(importsOf(text).sort()).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts']);
});

test('an import against the layers is refused', () => {
  expect(violation('model/network.ts', '../maps/hash-map.ts')).toMatch('model must not know maps');
  expect(violation('cli/status.ts', '../daemon/main.ts')).toMatch('cli must not know daemon');
  expect(violation('reconcile/apply.ts', '../maps/hash-map.ts')).toBeUndefined();
  expect(violation('cli/daemon.ts', '../daemon/main.ts')).toBeUndefined();
});

test('a package that belongs to one folder is refused elsewhere', () => {
  expect(violation('netlink/socket.ts', 'koffi')).toMatch('only in src/loader/ffi/');
  expect(violation('loader/ffi/libc.ts', 'koffi')).toBeUndefined();
});

test('node:http is imported for its types alone', () => {
  expect(importsHttp("import { request } from 'node:http';")).toBe(true);
  expect(importsHttp("import { type Server, createServer } from 'node:http';")).toBe(true);
  expect(importsHttp("import type { Server } from 'node:http';")).toBe(false);
});
