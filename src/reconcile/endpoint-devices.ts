/** An endpoint's device as this process knows it. */
export interface EndpointDevice {
  /** Of the host's end of its veth. */
  readonly ifindex: number;
  /** Of its device on its network's parent; 0: has none. */
  readonly lanIfindex: number;
  /** That device is the parent itself. */
  readonly sharesLan: boolean;
  /** The maps have its entries. */
  mapped: boolean;
  /** It is up, or should be. */
  open: boolean;
}

/** The devices of endpoints, by the endpoint's id and by their ifindexes. */
export class EndpointDevices {
  readonly #byId = new Map<string, EndpointDevice>();
  readonly #byIfindex = new Map<number, EndpointDevice>();

  get(id: string): EndpointDevice | undefined {
    return this.#byId.get(id);
  }

  has(ifindex: number): boolean {
    return this.#byIfindex.has(ifindex);
  }

  at(ifindex: number): EndpointDevice | undefined {
    return this.#byIfindex.get(ifindex);
  }

  ids(): string[] {
    return [...this.#byId.keys()];
  }

  /** @param sharesLan the device that it reaches its LAN by is the parent itself */
  set(id: string, ifindex: number, lanIfindex = 0, sharesLan = false): EndpointDevice {
    this.delete(id);
    const device = { ifindex, lanIfindex, sharesLan, mapped: false, open: false };
    this.#byId.set(id, device);
    this.#byIfindex.set(ifindex, device);
    if (lanIfindex !== 0 && !sharesLan) this.#byIfindex.set(lanIfindex, device);
    return device;
  }

  delete(id: string): void {
    const device = this.#byId.get(id);
    if (!device) return;
    this.#byId.delete(id);
    this.#byIfindex.delete(device.ifindex);
    if (!device.sharesLan) this.#byIfindex.delete(device.lanIfindex);
  }

  /** A pass is over: the maps have the entries of all, and all are up. */
  allDone(): void {
    for (const device of this.#byId.values()) {
      device.mapped = true;
      device.open = true;
    }
  }
}
