/**
 * Writes docs/drops.md from bpf/abi/drop_reason.h: the comment of each reason is its documentation.
 *
 *   node scripts/drops-doc.ts [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';

const header = new URL('../bpf/abi/drop_reason.h', import.meta.url);
const page = new URL('../docs/drops.md', import.meta.url);

const reasons = [...readFileSync(header, 'utf8').matchAll(/^\tREASON_(\w+) = (\d+),\s*\/\* (.*) \*\/$/gm)];
const rows = reasons
  .filter(([, name]) => name !== 'NONE')
  .map(([, name, number, text]) => `| ${number} | \`${name}\` | ${text} |`);

const text = `# Why packets are dropped

Every drop has one of these reasons, and every reason is counted. \`vetch status\` shows the counts, \`/metrics\` has them
as \`vetch_drops_total{reason="…"}\`, and \`bpftool map dump pinned /sys/fs/bpf/vetch/v1/maps/drops\` shows the map
itself, one entry a number. This page is written from bpf/abi/drop_reason.h.

| number | reason | when |
|---|---|---|
${rows.join('\n')}
`;

if (!process.argv.includes('--check')) {
  writeFileSync(page, text);
} else if (readFileSync(page, 'utf8') !== text) {
  process.stderr.write('docs/drops.md is stale: run `make generate` and commit it\n');
  process.exitCode = 1;
}
