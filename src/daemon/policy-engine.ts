import type { Intent } from '../model/intent.ts';
import { PolicyCompiler, type PolicyCompilerOptions } from '../policy/compiler.ts';
import { IntentFollower } from '../policy/follow-intent.ts';
import type { PolicyTables } from '../policy/tables.ts';

/** Who compiles policy, and puts it in force. */
export interface PolicyEngine {
  readonly tables: PolicyTables;
  /** Numbers of the endpoints that a document selects, by its `policyKey`. */
  selected(key: string): readonly number[];
  /**
   * The intent's documents, namespaces and endpoints are what holds from now on; all of it or nothing.
   *
   * @throws VetchError UNSUPPORTED, MAP_FULL
   */
  applyPolicy(intent: Intent): void;
}

/** Compiles what the intent says at each question; it puts nothing in force. */
export class CompiledPolicy implements PolicyEngine {
  readonly #compiler: PolicyCompiler;
  readonly #intent: () => Intent;
  readonly #follower = new IntentFollower();

  constructor(options: PolicyCompilerOptions, intent: () => Intent) {
    this.#intent = intent;
    this.#compiler = new PolicyCompiler(options);
  }

  get tables(): PolicyTables {
    this.applyPolicy(this.#intent());
    return this.#compiler.tables;
  }

  selected(key: string): readonly number[] {
    this.applyPolicy(this.#intent());
    return this.#compiler.selected(key);
  }

  applyPolicy(intent: Intent): void {
    const hostAddresses = [...intent.networks.values()].flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
    this.#compiler.update({
      ...this.#follower.changes(intent),
      hostAddresses: hostAddresses.filter((one) => one !== ''),
    });
    this.#compiler.takeChanges();
    this.#follower.follow(intent);
  }
}
