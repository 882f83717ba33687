/** HOST_WIRE of bpf/abi/conntrack.h: added to an endpoint's number, in the place of a network's. */
const hostWire = 0x8000;

/** The wire of an endpoint in the host's namespace: flows and events have it in the place of a network. */
export function wireOf(endpoint: number): number {
  return hostWire + endpoint;
}

/** The number of the endpoint whose wire it is; undefined: it is a network. */
export function ownerOfWire(network: number): number | undefined {
  return network >= hostWire ? network - hostWire : undefined;
}
