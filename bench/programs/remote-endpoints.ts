/**
 * Writes the records of so many endpoints on so many other hosts into a cluster's store, as those hosts do. They end
 * in order then, and what they told stays.
 *
 *   node bench/programs/remote-endpoints.ts ETCD HOSTS ENDPOINTS NETWORK…     ENDPOINTS of all hosts together
 */
import { ThinHost } from '../../test/sim/thin-host.ts';

const [etcd = '', hosts = '', endpoints = '', ...networks] = process.argv.slice(2);
const each = Number(endpoints) / Number(hosts);

for (let index = 0; index < Number(hosts); index++) {
  await using host = await ThinHost.start({
    name: `remote${index}`,
    address: `10.64.${index >> 8}.${index & 255}`,
    endpoints: [etcd],
    directory: '',
    cache: false,
    warn: (line) => process.stderr.write(`${line}\n`),
  });
  await host.fill(index, index * each, each, networks);
}
