import { withoutLength } from '../../model/address.ts';
import type { DockerBackend } from './backend.ts';
import { type Calls, call, question } from './call.ts';
import { clusterNetwork, isForGateway } from './options.ts';
import * as schemas from './schemas.ts';

const { answers } = schemas;

/** What libnetwork calls a remote IPAM driver for. */
export function ipamDriver(backend: DockerBackend): Calls {
  return {
    // Pools and addresses are on our disk: the engine need not repeat its requests when it starts.
    'IpamDriver.GetCapabilities': question(answers.ipamCapabilities, {
      RequiresMACAddress: false,
      RequiresRequestReplay: false,
    }),
    'IpamDriver.GetDefaultAddressSpaces': question(answers.addressSpaces, {
      LocalDefaultAddressSpace: 'vetch-local',
      GlobalDefaultAddressSpace: 'vetch-global',
    }),
    'IpamDriver.RequestPool': call(schemas.requestPool, answers.pool, async (request, signal) => {
      const { Pool, SubPool, V6 } = request;
      const network = clusterNetwork(request.Options);
      const given = { ...(Pool === '' ? {} : { pool: Pool }), ...(SubPool === '' ? {} : { subPool: SubPool }) };
      const { id, cidr } = await backend.requestPool(
        { ...given, ipv6: V6, ...(network === undefined ? {} : { network }) },
        signal,
      );
      return { PoolID: id, Pool: cidr, Data: {} };
    }),
    'IpamDriver.ReleasePool': call(schemas.releasePool, answers.nothing, async ({ PoolID }, signal) => {
      await backend.releasePool(PoolID, signal);
      return {};
    }),
    'IpamDriver.RequestAddress': call(schemas.requestAddress, answers.address, async (request, signal) => {
      const address = request.Address === '' ? {} : { address: withoutLength(request.Address) };
      const wish = { pool: request.PoolID, ...address, gateway: isForGateway(request.Options) };
      return { Address: await backend.requestAddress(wish, signal), Data: {} };
    }),
    'IpamDriver.ReleaseAddress': call(schemas.releaseAddress, answers.nothing, async (request, signal) => {
      await backend.releaseAddress(request.PoolID, withoutLength(request.Address), signal);
      return {};
    }),
  };
}
