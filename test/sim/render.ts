/** Writes docs/simulation.md anew from docs/simulation.json, after a change of its words: node test/sim/render.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { markdown, type Report } from './report.ts';

const docs = new URL('../../docs/', import.meta.url);
const report = JSON.parse(readFileSync(new URL('simulation.json', docs), 'utf8')) as Report;
const limits = readFileSync(new URL('limits.md', import.meta.url), 'utf8');
writeFileSync(new URL('simulation.md', docs), markdown(report, limits));
