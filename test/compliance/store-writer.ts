/** Writes pairs of records for ever, and prints the number of each pair once it is acknowledged: to be killed. */
import { writeSync } from 'node:fs';
import { openEmbeddedStore } from '../../src/store/embedded.ts';
import { sampleEndpoint, sampleNetwork } from './store-records.ts';

const [, , place = ''] = process.argv;
const store = await openEmbeddedStore(place);
for (let number = 1; ; number++) {
  const network = sampleNetwork(number);
  await store.transaction((writer) => {
    writer.putNetwork(network);
    writer.putEndpoint(sampleEndpoint(number, network));
  });
  writeSync(1, `${number}\n`);
}
