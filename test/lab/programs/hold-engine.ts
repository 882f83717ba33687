/** Runs a container on an engine in a lab, says which process that is, and waits to be killed. */
import { Engine } from '../engine.ts';
import { Lab } from '../lab.ts';

const lab = await Lab.create({ start: false });
const engine = await Engine.start(lab.host(), { vetch: false });
await engine.docker(...engine.runArguments('kept', []), 'links', 'sleep', '600');
process.stdout.write(`container ${await engine.docker('inspect', '--format', '{{.State.Pid}}', 'kept')}\n`);
setInterval(() => {}, 1000);
