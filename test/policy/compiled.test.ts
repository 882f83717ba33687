import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { questionsOf } from './cells.ts';
import { questions, state } from './compiled/arbitrary.ts';
import { Compiled } from './compiled/compiled.ts';
import { initially, parties } from './layout.ts';
import { answer } from './model/oracle.ts';
import type { Question } from './model/situation.ts';
import { policySets } from './sets/all.ts';
import { after, type State } from './steps.ts';

// The compiled tables against the model; both are asked the same questions.

/** The questions on which they disagree, as text; the first few. */
function disagreements(compiled: Compiled, now: State, asked: readonly Question[]): string[] {
  const found: string[] = [];
  for (const question of asked) {
    const model = answer(now.situation, question);
    const tables = compiled.answer(question);
    if (model.verdict === tables.verdict && model.audited === tables.audited) continue;
    if (found.length === 5) break;
    const { from, to, family, protocol, port } = question;
    const [says, instead] = [model, tables].map(({ verdict, denies, audited }) => `${verdict} ${denies} ${audited}`);
    found.push(`${from.name} -> ${to.name} ${protocol} ${port} IPv${family}: ${says}, the tables ${instead}`);
  }
  return found;
}

test('every policy set compiles to what the model says, step by step', () => {
  for (const { name, steps } of policySets) {
    const compiled = new Compiled('h1');
    let now: State = { situation: initially, parties };
    for (const [at, step] of steps.entries()) {
      now = after(now, step);
      compiled.become(now);
      const asked = questionsOf(now).filter(({ from, to }) => isForTables(from, to));
      expect(disagreements(compiled, now, asked), `step ${at + 1} of '${name}'`).toEqual([]);
    }
  }
}, 60_000);

/** Whose answer is policy's: the border of a network, and an endpoint by itself, are the datapath's own. */
function isForTables(from: Question['from'], to: Question['to']): boolean {
  if (from.party !== 'endpoint' || to.party !== 'endpoint') return true;
  return from.name !== to.name && from.network === to.network;
}

test('10,000 random clusters and changes of them compile to what the model says', () => {
  fc.assert(
    fc.property(state, state, (first, second) => {
      const compiled = new Compiled('h1');
      for (const now of [first, second]) {
        compiled.become(now);
        expect(disagreements(compiled, now, questions(now))).toEqual([]);
      }
    }),
    { numRuns: Number(process.env.VETCH_POLICY_CASES ?? 5000) },
  );
}, 600_000);
