/** Creates a lab, says which processes hold it, and waits to be killed. */
import { Lab } from '../lab.ts';

const lab = await Lab.create({ start: false });
process.stdout.write(`holders ${[lab.router, lab.host(), lab.client()].map(({ place }) => place.holder).join(' ')}\n`);
setInterval(() => {}, 1000);
