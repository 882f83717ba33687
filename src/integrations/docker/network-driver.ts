import { VetchError } from '../../api/error.ts';
import type { CreateNetworkRequest } from '../../api/schemas/network.ts';
import { familyOf, withoutLength } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import type { DockerBackend, EngineEndpoint } from './backend.ts';
import { type Calls, call, question } from './call.ts';
import { endpointOptions, isInternal, networkOptions, portSpecs } from './options.ts';
import * as schemas from './schemas.ts';

const { answers } = schemas;

const nullPool = '0.0.0.0/0';

/** What libnetwork calls a remote network driver for. */
export function networkDriver(backend: DockerBackend): Calls {
  return {
    'NetworkDriver.GetCapabilities': question(answers.networkCapabilities, {
      Scope: 'local',
      ConnectivityScope: 'local',
    }),
    // Of networks that span hosts; the engine asks all the same.
    'NetworkDriver.AllocateNetwork': call(schemas.anything, answers.allocatedNetwork, () => ({ Options: {} })),
    'NetworkDriver.FreeNetwork': call(schemas.anything, answers.nothing, () => ({})),
    'NetworkDriver.DiscoverNew': call(schemas.anything, answers.nothing, () => ({})),
    'NetworkDriver.DiscoverDelete': call(schemas.anything, answers.nothing, () => ({})),

    'NetworkDriver.CreateNetwork': call(schemas.createNetwork, answers.nothing, async (request, signal) => {
      await backend.createNetwork(request.NetworkID, networkRequest(request), signal);
      return {};
    }),
    'NetworkDriver.DeleteNetwork': call(schemas.networkRef, answers.nothing, async ({ NetworkID }, signal) => {
      await backend.removeNetwork(NetworkID, signal);
      return {};
    }),
    'NetworkDriver.CreateEndpoint': call(schemas.createEndpoint, answers.endpoint, async (request, signal) => {
      const { mac } = await backend.createEndpoint(endpointRequest(request), signal);
      // What the engine has chosen itself must not be answered: it takes that for a change, and gives up.
      return { Interface: request.Interface.MacAddress === '' && mac !== '' ? { MacAddress: mac } : {} };
    }),
    'NetworkDriver.DeleteEndpoint': call(schemas.endpointRef, answers.nothing, async ({ EndpointID }, signal) => {
      await backend.removeEndpoint(EndpointID, signal);
      return {};
    }),
    'NetworkDriver.EndpointOperInfo': call(schemas.endpointRef, answers.operInfo, ({ EndpointID }) => {
      existing(backend, EndpointID);
      return { Value: {} };
    }),
    'NetworkDriver.Join': call(schemas.endpointWithOptions, answers.join, ({ EndpointID }) => {
      const { endpoint, network } = existing(backend, EndpointID);
      // Loopback alone: there is no device to move, and no way out to be found elsewhere.
      if (endpoint.hostIfname === '') return { DisableGatewayService: true };
      const names = { SrcName: endpoint.ifname, DstPrefix: backend.interfacePrefix(network) };
      return { InterfaceName: names, ...wayOut(endpoint, network) };
    }),
    'NetworkDriver.Leave': call(schemas.endpointRef, answers.nothing, async ({ EndpointID }, signal) => {
      // After a publish that failed no Revoke comes.
      await backend.publish(EndpointID, [], signal);
      return {};
    }),
    'NetworkDriver.ProgramExternalConnectivity': call(
      schemas.endpointWithOptions,
      answers.nothing,
      async ({ EndpointID, Options }, signal) => {
        const { network } = existing(backend, EndpointID);
        // The engine carries the port map of an internal network's endpoint along, and nothing is published there.
        await backend.publish(EndpointID, network.internal ? [] : portSpecs(Options), signal);
        return {};
      },
    ),
    'NetworkDriver.RevokeExternalConnectivity': call(
      schemas.endpointRef,
      answers.nothing,
      async ({ EndpointID }, signal) => {
        await backend.publish(EndpointID, [], signal);
        return {};
      },
    ),
  };
}

/** Until the engine is asked for its name, a network is called by the digits of its id that Docker shows. */
function networkRequest(request: ReturnType<typeof schemas.createNetwork.parse>): CreateNetworkRequest {
  const options = networkOptions(request.Options);
  const given = [...request.IPv4Data, ...request.IPv6Data];
  // What the engine's IPAM driver `null` gives stands for no addresses.
  const data = options['vetch.driver'] === 'none' ? given.filter(({ Pool }) => Pool !== nullPool) : given;
  const auxiliary = data.flatMap(({ AuxAddresses }) => Object.entries(AuxAddresses));
  return {
    name: request.NetworkID.slice(0, 12),
    driver: 'bridge',
    subnets: data.map(({ Pool }) => Pool),
    gateways: data.flatMap(({ Gateway }) => (Gateway === '' ? [] : withoutLength(Gateway))),
    auxAddresses: Object.fromEntries(auxiliary.map(([name, address]) => [name, withoutLength(address)])),
    ipv6: false,
    internal: isInternal(request.Options),
    options,
    labels: {},
  };
}

function endpointRequest(request: ReturnType<typeof schemas.createEndpoint.parse>): EngineEndpoint {
  const { Address, AddressIPv6, MacAddress } = request.Interface;
  return {
    id: request.EndpointID,
    network: request.NetworkID,
    addresses: [Address, AddressIPv6].filter((address) => address !== '').map(withoutLength),
    ...(MacAddress === '' ? {} : { mac: MacAddress }),
    options: endpointOptions(request.Options),
  };
}

/** Without a gateway the engine adds a network of its own, docker_gwbridge, unless it is told not to. */
function wayOut(endpoint: Endpoint, network: Network) {
  if (network.internal) return { DisableGatewayService: true };
  const gateways = network.subnets.map(({ gateway }) => gateway);
  const families = endpoint.addresses.map(familyOf);
  const of = (family: 4 | 6) => {
    return families.includes(family) ? gateways.find((gateway) => familyOf(gateway) === family) : undefined;
  };
  const [v4, v6] = [of(4), of(6)];
  return { ...(v4 === undefined ? {} : { Gateway: v4 }), ...(v6 === undefined ? {} : { GatewayIPv6: v6 }) };
}

function existing(backend: DockerBackend, id: string): { readonly endpoint: Endpoint; readonly network: Network } {
  const endpoint = backend.endpoint(id);
  const network = endpoint && backend.network(endpoint.network);
  if (endpoint && network) return { endpoint, network };
  throw new VetchError('NOT_FOUND', `there is no endpoint ${id.slice(0, 12)}`, 'start the container again');
}
