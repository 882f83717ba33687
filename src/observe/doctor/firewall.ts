import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { InputChain } from './facts.ts';

const run = promisify(execFile);
const limits = { timeout: 2000, maxBuffer: 16 * 1024 * 1024 };

/**
 * The firewalls' chains for packets to the host itself, in the network namespace of this process. A firewall that the
 * kernel has not loaded is not asked, because asking loads it; one that does not answer is left out.
 */
export async function inputChains(hostDevice: string): Promise<InputChain[]> {
  const [nftables, iptables] = await Promise.all([nftablesChains(hostDevice), legacyChains(hostDevice)]);
  return [...nftables, ...iptables];
}

async function nftablesChains(hostDevice: string): Promise<InputChain[]> {
  if (!existsSync('/sys/module/nf_tables')) return [];
  const list = await output('nft', ['-j', 'list', 'chains']);
  const chains = list === undefined ? [] : nftInputChains(list);
  return Promise.all(
    chains.map(async (chain) => {
      const text = (await output('nft', ['list', 'chain', ...chain])) ?? '';
      return { name: `nftables ${chain.join(' ')}`, ...judgeChain(text, hostDevice) };
    }),
  );
}

async function legacyChains(hostDevice: string): Promise<InputChain[]> {
  const chains: InputChain[] = [];
  for (const [command, names] of [
    ['iptables-legacy', '/proc/net/ip_tables_names'],
    ['ip6tables-legacy', '/proc/net/ip6_tables_names'],
  ] as const) {
    if (!existsSync(names) || !readFileSync(names, 'utf8').split('\n').includes('filter')) continue;
    const text = await output(command, ['-S', 'INPUT']);
    if (text !== undefined) chains.push({ name: `${command} INPUT`, ...judgeChain(text, hostDevice) });
  }
  return chains;
}

/** Family, table and name of each base chain at the hook `input`, of `nft -j list chains`. */
export function nftInputChains(json: string): [family: string, table: string, name: string][] {
  const { nftables = [] } = JSON.parse(json) as { nftables?: { chain?: Record<string, unknown> }[] };
  return nftables.flatMap(({ chain }) =>
    chain?.hook === 'input' ? [[String(chain.family), String(chain.table), String(chain.name)]] : [],
  );
}

/**
 * @param text a chain as `nft list chain` or `iptables -S` prints it. It drops by its policy, or by a last rule that
 *   matches everything.
 */
export function judgeChain(text: string, hostDevice: string): Omit<InputChain, 'name'> {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '}');
  const last = rules.at(-1) ?? '';
  return {
    drops:
      /policy drop;/.test(text) ||
      /^-P INPUT DROP$/m.test(text) ||
      /^(counter (packets \d+ bytes \d+ )?)?(drop|reject( with .*)?)$/.test(last) ||
      /^-A INPUT -j (DROP|REJECT)( |$)/.test(last),
    namesHostDevice: rules.some((rule) => rule.split(/[\s"]+/).includes(hostDevice)),
  };
}

async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(command, [...args], limits)).stdout;
  } catch {
    return undefined;
  }
}
