import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { variablesOf } from './variables.ts';

test('global variables are found with their section, place and size', () => {
  const object = readFileSync(new URL('../../test/kernel/fixtures/loader.bpf.o', import.meta.url));
  const variables = variablesOf(object);
  expect(variables.get('verdict')).toMatchObject({ section: '.rodata', size: 4 });
  expect(variables.get('doubled')).toMatchObject({ section: '.rodata', size: 1 });
  expect(variables.get('big')).toMatchObject({ section: '.rodata', size: 8 });
  const places = ['verdict', 'doubled', 'big', 'small'].map((name) => variables.get(name)?.offset);
  expect(new Set(places).size).toBe(4);
  expect(variables.has('LICENSE')).toBe(false);
  expect(variables.has('table')).toBe(false);
});
