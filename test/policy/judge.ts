import { type Cell, cells, cellText, expected } from './cells.ts';
import type { Seen, Tuple } from './events.ts';
import { parties } from './layout.ts';
import type { Answer } from './model/oracle.ts';
import type { Collected } from './prober.ts';
import type { Scene } from './scene.ts';

/** After this a flow without an answer is denied; it begins when the last one of the step is sent. */
const deadline = 300;
/** From a connection to its echo a turn of each end follows another: so often, and once more. */
const settlingRounds = 5;
/** Milliseconds in which the events of a step have to be read. */
const eventDeadline = 2000;
/** So many mismatches of a step are explained. */
const explained = 5;

/** What became of a cell, and what should have. */
export interface Outcome extends Seen {
  readonly cell: Cell;
  readonly answer: Answer;
  readonly who: string | undefined;
  readonly error: string | undefined;
}

/** Tries every cell at once. */
export async function tryAll(scene: Scene): Promise<Outcome[]> {
  const answers = expected(scene.state);
  scene.events.clear();
  const orders = new Map<string, [number, Cell][]>();
  for (const [number, cell] of cells.entries())
    orders.set(cell.from, [...(orders.get(cell.from) ?? []), [number, cell]]);
  const asking = [...orders].map(([name, order]) => {
    const prober = scene.probers.get(name);
    if (!prober) throw new Error(`nothing probes from ${name}`);
    return { prober, order };
  });
  const fired = await Promise.all(asking.map(({ prober, order }) => prober.fire(order)));
  const probers = [...scene.probers.values()];
  await Promise.all(probers.map((prober) => prober.wait(deadline)));
  for (let round = 0; round < settlingRounds; round++) await Promise.all(probers.map((prober) => prober.settle()));
  const collected = await Promise.all(asking.map(({ prober }) => prober.collect()));
  const ports = new Map(fired.flatMap((some) => [...some]));
  const tried = cells.map((cell, number) => ({
    cell,
    flow: tupleOf(cell, ports.get(number) ?? 0),
    answer: answers[number] ?? nobody,
  }));
  const flowsWhere = (wanted: (answer: Answer) => boolean) =>
    tried.filter(({ answer }) => wanted(answer)).map(({ flow }) => flow);
  const denied = flowsWhere(({ verdict }) => verdict === 'deny');
  await scene.events.until(denied, 'drop', eventDeadline);
  const audited = flowsWhere((answer) => answer.audited);
  await scene.events.until(audited, 'audit', eventDeadline);
  const who: Collected['answers'] = Object.assign({}, ...collected.map(({ answers: some }) => some));
  const errors: Collected['errors'] = Object.assign({}, ...collected.map(({ errors: some }) => some));
  return tried.map(({ cell, flow, answer }, number) => ({
    cell,
    answer,
    who: who[number],
    error: errors[number],
    ...scene.events.get(flow),
  }));
}

/** Of a cell without an answer of the model, which there is none of. */
const nobody: Answer = { verdict: 'deny', denies: [], audited: false };

/**
 * Compares every cell with the model: what is allowed is answered by the right one and loses no packet to a policy, what
 * is denied is not answered and has its drop event, what is audited has its event.
 *
 * @returns a text for each mismatch
 */
export async function judge(scene: Scene): Promise<string[]> {
  const outcomes = await tryAll(scene);
  return await report(
    scene,
    outcomes.filter((outcome) => complaint(outcome) !== undefined),
  );
}

function tupleOf({ from, address, sentTo, family, protocol }: Cell, sourcePort: number): Tuple {
  const ip = parties.find(({ name }) => name === from)?.addresses[family] ?? '';
  return { protocol, source: { ip, port: sourcePort }, destination: { ip: address, port: sentTo } };
}

/** What is wrong with an outcome, or undefined. */
export function complaint({ cell, answer, who, error, drop, audit, accident }: Outcome): string | undefined {
  const right = cell.protocol === 'icmp' ? cell.address : cell.to;
  if (answer.verdict === 'deny') {
    if (who !== undefined) return `answered by ${who}`;
    if (!drop)
      return `no answer${error ? ` (${error})` : ''}, and ${accident ? `dropped for ${accident.reason}` : 'no drop event'}`;
    return undefined;
  }
  if (who === undefined) {
    const reason = (drop ?? accident)?.reason;
    return `no answer${error ? ` (${error})` : ''}${reason ? `, dropped for ${reason}` : ''}`;
  }
  if (who !== right) return `answered by ${who}`;
  if (drop) return `answered, but a packet of it was dropped for ${drop.reason}`;
  if (answer.audited !== (audit !== undefined)) return audit ? 'an audit event' : 'no audit event';
  return undefined;
}

async function report(scene: Scene, wrong: readonly Outcome[]): Promise<string[]> {
  const texts: string[] = [];
  for (const [index, outcome] of wrong.entries()) {
    const { cell, answer, drop } = outcome;
    const denied = answer.denies.length > 0 ? ` by ${answer.denies.join(' and ')}` : '';
    const wants = `${answer.verdict}${denied}${answer.audited ? ', audited' : ''}`;
    const decided = drop ? ` decided by ${JSON.stringify(drop.decidedBy)};` : '';
    const said = index < explained ? ` explain: ${await explain(scene, cell)}` : '';
    texts.push(`${cellText(cell)}: expected ${wants}, but: ${complaint(outcome)};${decided}${said}`);
  }
  return texts;
}

/** The deciding rule, as `policy explain` names it. */
async function explain(scene: Scene, { from, to, family, port, protocol }: Cell): Promise<string> {
  const ref = (name: string) => parties.find((party) => party.name === name)?.addresses[family] ?? name;
  const what = protocol === 'icmp' ? 'icmp' : `${port}/${protocol}`;
  try {
    return JSON.stringify(
      await scene.host.vetch('policy', 'explain', '--from', ref(from), '--to', ref(to), '--port', what),
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
