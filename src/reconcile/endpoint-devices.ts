/** An endpoint's device as this process knows it. */
export interface EndpointDevice {
  /** Of the host's end of its veth. */
  readonly ifindex: number;
  /** The maps have its entries. */
  mapped: boolean;
}

/** The devices of endpoints, by the endpoint's id and by their ifindex. */
export class EndpointDevices {
  readonly #byId = new Map<string, EndpointDevice>();
  readonly #ifindexes = new Set<number>();

  get(id: string): EndpointDevice | undefined {
    return this.#byId.get(id);
  }

  hasIfindex(ifindex: number): boolean {
    return this.#ifindexes.has(ifindex);
  }

  ids(): string[] {
    return [...this.#byId.keys()];
  }

  set(id: string, ifindex: number): EndpointDevice {
    this.delete(id);
    const device = { ifindex, mapped: false };
    this.#byId.set(id, device);
    this.#ifindexes.add(ifindex);
    return device;
  }

  delete(id: string): void {
    const device = this.#byId.get(id);
    if (!device) return;
    this.#byId.delete(id);
    this.#ifindexes.delete(device.ifindex);
  }

  /** The maps have the entries of all. */
  allMapped(): void {
    for (const device of this.#byId.values()) device.mapped = true;
  }
}
