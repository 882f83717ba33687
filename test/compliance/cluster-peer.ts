/**
 * A host of a cluster in a process of its own. It keeps what it has been told, and answers commands, a line each:
 *
 *     digest            of all that it has been told
 *     publish COUNT     tells the others of so many endpoints
 *     allot COUNT       takes so many addresses of the one network, and prints them
 */
import { createInterface } from 'node:readline';
import type { HeldAddress } from '../../src/model/cluster.ts';
import type { Network } from '../../src/model/network.ts';
import { AddressPool } from '../../src/network/address-pool.ts';
import { ConflictError } from '../../src/store/conflict.ts';
import { openPlace } from './etcd-place.ts';
import { sampleClusterEndpoint } from './store-records.ts';
import { Witness } from './witness.ts';

const [, , place = '', node = '', lease = '15', start = '120'] = process.argv;
const store = await openPlace(place, node, {
  times: { lease: Number(lease), start: Number(start) },
  failed: (what) => say(what),
});
const witness = await Witness.of(store);
say('ready');

for await (const line of createInterface({ input: process.stdin })) {
  const [command, count = '0'] = line.split(' ');
  if (command === 'digest') say(`digest ${witness.digest}`);
  if (command === 'publish') {
    store.publish((writer) => {
      for (let i = 1; i <= Number(count); i++) writer.putEndpoint(sampleClusterEndpoint(node, i));
    });
  }
  if (command === 'allot') {
    const addresses: string[] = [];
    while (addresses.length < Number(count)) addresses.push(await allot());
    say(`allotted ${addresses.join(' ')}`);
  }
}

/** The lowest address that nobody holds, planned by what has been told: as a host plans an endpoint. */
async function allot(): Promise<string> {
  for (;;) {
    const [network] = witness.records.networks.values();
    if (!network) throw new Error('there is no network');
    const address = lowestFree(network, witness.records.addresses.values());
    const held: HeldAddress = { network: network.id, address, node, endpoint: `${node} ${address}` };
    try {
      await store.transaction((writer) => writer.putAddress(held));
      witness.records.addresses.set(`${network.id}/${address}`, held);
      return address;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
    await store.settled();
  }
}

function lowestFree({ subnets: [subnet] }: Network, held: Iterable<HeldAddress>): string {
  if (!subnet) throw new Error('the network has no subnet');
  const pool = new AddressPool(subnet);
  for (const { address } of held) pool.take(address);
  return pool.next();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
