/**
 * Writes src/maps/generated/abi.ts from the BTF of bpf/build/abi.bpf.o.
 *
 *   node src/maps/generate.ts [--check] [OBJECT]
 *
 * With --check it writes nothing, and exits 1 when the committed file differs from what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Btf } from './btf.ts';
import { emit } from './generate/emit.ts';
import { layoutsOf } from './generate/layout.ts';

const root = new URL('../../', import.meta.url);
const target = new URL('src/maps/generated/abi.ts', root);

const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true });
const object = positionals[0] ?? new URL('bpf/build/abi.bpf.o', root);
const text = emit(layoutsOf(Btf.fromElf(readFileSync(object))));

if (!values.check) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  process.stderr.write('src/maps/generated/abi.ts is stale: run `make generate` and commit it\n');
  process.exitCode = 1;
}
