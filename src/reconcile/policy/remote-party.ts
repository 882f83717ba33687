import type { PolicyEndpoint } from '../../policy/identity/policy-endpoint.ts';
import type { PlacedRemote } from '../remotes/remote-table.ts';

/** What policy knows of an endpoint on another host. It is read where it stands: a copy of each would be most of what policy takes. */
export class RemoteParty implements PolicyEndpoint {
  readonly #placed: PlacedRemote;

  constructor(placed: PlacedRemote) {
    this.#placed = placed;
  }

  get remote(): true {
    return true;
  }
  get number(): number {
    return this.#placed.number;
  }
  get name(): string {
    return this.#placed.remote.name;
  }
  get network(): string {
    return this.#placed.network.name;
  }
  get driver(): string {
    return this.#placed.network.driver;
  }
  get labels(): PolicyEndpoint['labels'] {
    return this.#placed.remote.labels;
  }
  get addresses(): readonly string[] {
    return this.#placed.remote.addresses;
  }
}
