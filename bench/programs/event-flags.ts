/**
 * Turns what the datapath tells of flows on or off, behind its daemon's back: which puts it right with its next pass.
 *
 *   node bench/programs/event-flags.ts PINS on|off     PINS: the directory of the pinned maps
 *
 * Prints {"were": BOOLEAN}: whether it told of them until now.
 */
import { ConfigFlag } from '../../src/maps/generated/abi.ts';
import { openMaps } from '../../src/maps/open.ts';

const [pins = '', wanted] = process.argv.slice(2);
const both = ConfigFlag.EVENTS_DROPPED | ConfigFlag.EVENTS_FORWARDED;

const maps = openMaps(pins);
const config = maps.config.get(0);
if (!config) throw new Error('the array `config` has no entry');
maps.config.set(0, { ...config, flags: wanted === 'on' ? config.flags | both : config.flags & ~both });
maps.close();
process.stdout.write(`${JSON.stringify({ were: (config.flags & both) !== 0 })}\n`);
