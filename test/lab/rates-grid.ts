/**
 * Measures limits of a rate over a grid, for docs/decisions/0010-limits-of-a-rate.md, and prints it as a table:
 *
 *   node test/lab/rates-grid.ts [RATE...]
 *
 * Exits 1 when a rate, with headers, is more than 5 % off.
 */
import { Lab } from './lab.ts';
import { listen, type Sending, send } from './rates.ts';

const rates: readonly (readonly [name: string, bits: number])[] = [
  ['1Mbit', 1e6],
  ['10Mbit', 1e7],
  ['100Mbit', 1e8],
  ['1Gbit', 1e9],
  ['5Gbit', 5e9],
];

interface Column {
  readonly direction: 'egress' | 'ingress';
  readonly congestion: 'cubic' | 'bbr';
  readonly streams: number;
}

const columns: readonly Column[] = [
  ...([1, 8] as const).flatMap((streams): Column[] => [
    { direction: 'egress', congestion: 'cubic', streams },
    { direction: 'egress', congestion: 'bbr', streams },
    { direction: 'ingress', congestion: 'cubic', streams },
  ]),
];

/** Long enough that a burst more or less at the end is less than half of what may be off. */
const time: Sending = { seconds: 12, warmUp: 1 };

await using lab = await Lab.create({ clients: [] });
const host = lab.host();
await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16');
const [sender] = await host.attach('web', 'sender');
const [receiver] = await host.attach('web', 'receiver');
await listen(receiver);

const title = ({ direction, congestion, streams }: Column) => `${direction}, ${congestion}, ${streams}`;
process.stdout.write(`| asked | ${columns.map(title).join(' | ')} |\n|---|${'---|'.repeat(columns.length)}\n`);
let off = 0;
const asked = process.argv.slice(2);
for (const [name, bits] of rates) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const cells: string[] = [];
  for (const { direction, congestion, streams } of columns) {
    const limited = `web/${direction === 'egress' ? 'sender' : 'receiver'}`;
    await host.vetch('endpoint', 'label', limited, `vetch.rate.${direction}=${name}`);
    const { wireBits, payloadBits, seconds } = await send(sender, '10.88.0.3', { ...time, congestion, streams });
    await host.vetch('endpoint', 'label', limited, `vetch.rate.${direction}-`);
    const percent = (passed: number) => ((100 * passed) / seconds / bits).toFixed(1);
    const isOff = Math.abs(wireBits / seconds / bits - 1) > 0.05;
    if (isOff) off++;
    cells.push(`${percent(wireBits)} (${percent(payloadBits)})${isOff ? ' **off**' : ''}`);
  }
  process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`);
}
process.stdout.write(
  `\n% of what was asked, with the headers of IP and TCP (without them). ${off} are more than 5 % off.\n`,
);
process.exitCode = off > 0 ? 1 : 0;
