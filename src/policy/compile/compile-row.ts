import type { Profile } from '../identity/profile.ts';
import { evaluate, type MatchedRule } from './evaluate.ts';
import { type PlacedClause, rangesFor } from './place.ts';
import type { PortSets } from './port-sets.ts';
import type { RowPlan } from './row.ts';

/** Identities that decide alike have one state: the clauses that match them, as a path in a tree. */
interface State {
  readonly parent: State | undefined;
  readonly clause: number;
  readonly ranges: MatchedRule['ranges'];
  /** Where the clause that was followed last leads; `byPorts`: where a clause leads whose ports depend on the peer. */
  next: State | undefined;
  byPorts: Map<string, State> | undefined;
  decision: number | undefined;
}

/**
 * What a subject decides about every peer that differs from the rest; peer 0 is the rest. Peers are grouped by the
 * clauses that match them, and each group is decided once.
 *
 * @param hosts the profiles that are the host
 */
export function compileRow(plan: RowPlan, hosts: Iterable<Profile>, sets: PortSets): Map<number, number> {
  const root = newState(undefined, -1, undefined);
  const hostRoot = newState(undefined, -1, undefined);
  const states = new Map<Profile, State>();
  for (const host of hosts) states.set(host, hostRoot);
  for (let i = 0; i < plan.clauses.length; i++) {
    const clause = plan.clauses[i] as PlacedClause;
    for (const term of clause.terms ?? []) {
      for (const peer of term.members) {
        const state = states.get(peer) ?? root;
        // Two terms of one clause may match the same peer.
        if (state.clause === i) continue;
        const next = follow(state, i, clause, peer);
        if (next !== undefined) states.set(peer, next);
      }
    }
  }
  const rest = decide(root, plan, false, sets);
  const decisions = new Map<number, number>().set(0, rest);
  for (const [peer, state] of states) {
    const decision = decide(state, plan, peer.facts.party === 'host', sets);
    if (decision !== rest) decisions.set(peer.number, decision);
  }
  return decisions;
}

/** {@link compileRow} for one peer. */
export function compileCell(plan: RowPlan, peer: Profile, sets: PortSets): number {
  const matched: MatchedRule[] = [];
  for (const clause of plan.clauses) {
    if (clause.terms === undefined) {
      matched.push(clause);
      continue;
    }
    if (!clause.terms.some((term) => term.members.has(peer))) continue;
    const ranges = rangesFor(clause, peer);
    if (ranges !== undefined) matched.push(ranges === 'any' ? clause : { ...clause, ranges });
  }
  return evaluate(matched, plan.isolation, peer.facts.party === 'host', sets);
}

function newState(parent: State | undefined, clause: number, ranges: MatchedRule['ranges']): State {
  return { parent, clause, ranges, next: undefined, byPorts: undefined, decision: undefined };
}

function follow(state: State, i: number, clause: PlacedClause, peer: Profile): State | undefined {
  if (clause.byPeer !== undefined) return followPorts(state, i, rangesFor(clause, peer));
  if (state.next?.clause !== i) state.next = newState(state, i, clause.ranges);
  return state.next;
}

function followPorts(state: State, i: number, ranges: ReturnType<typeof rangesFor>): State | undefined {
  if (ranges === undefined) return undefined;
  const key = `${i} ${JSON.stringify(ranges)}`;
  const known = state.byPorts?.get(key);
  if (known !== undefined) return known;
  const next = newState(state, i, ranges === 'any' ? undefined : ranges);
  state.byPorts ??= new Map();
  state.byPorts.set(key, next);
  return next;
}

function decide(state: State, plan: RowPlan, isHost: boolean, sets: PortSets): number {
  state.decision ??= evaluate(rulesOf(state, plan), plan.isolation, isHost, sets);
  return state.decision;
}

/** The clauses on the path to a state, and those for any peer. */
function rulesOf(state: State, plan: RowPlan): MatchedRule[] {
  const rules: MatchedRule[] = [];
  let at: State | undefined = state;
  for (let i = plan.clauses.length - 1; i >= 0; i--) {
    const clause = plan.clauses[i] as PlacedClause;
    if (clause.terms === undefined) rules.push(clause);
    else if (at?.clause === i) {
      rules.push(clause.byPeer === undefined ? clause : { ...clause, ranges: at.ranges });
      at = at.parent;
    }
  }
  return rules.reverse();
}
