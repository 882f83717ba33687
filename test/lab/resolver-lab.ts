import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { type Background, slowness } from './process.ts';
import { LabResolver } from './resolver.ts';

const programs = new URL('./programs/', import.meta.url).pathname;

/** For `expect.poll`: what takes effect soon. */
export const soon = { timeout: 10_000 * slowness };

/** The gateways of network `web`. */
export const gateways = ['10.88.0.1', 'fd00:88::1'];

/**
 * A host with a resolver on three networks, and an upstream outside (programs/upstream.py): `shop` and `till` are on
 * `web`, `spy` is on `other`, `safe` on the internal `vault`. The first upstream that the resolver knows is no server.
 */
export class ResolverLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly host: Host;
  readonly outside: Client;
  readonly resolver: LabResolver;
  readonly upstream: Background;
  readonly shop: Container;
  readonly till: Container;
  readonly spy: Container;
  readonly safe: Container;

  private constructor(lab: Lab, resolver: LabResolver, upstream: Background, containers: readonly Container[]) {
    const [shop, till, spy, safe] = containers;
    if (!shop || !till || !spy || !safe) throw new Error('the lab lacks a container');
    this.lab = lab;
    this.host = lab.host();
    this.outside = lab.client('outside');
    this.resolver = resolver;
    this.upstream = upstream;
    this.shop = shop;
    this.till = till;
    this.spy = spy;
    this.safe = safe;
  }

  static async create(): Promise<ResolverLab> {
    const lab = await Lab.create({ start: false, clients: ['outside', 'broken'] });
    try {
      const [host, outside] = [lab.host(), lab.client('outside')];
      await host.start('--resolver', '/run/vetch-resolver');
      const upstream = outside.spawn('python3', `${programs}upstream.py`, outside.address4, '192.0.2.7');
      await upstream.until(/ready/);
      const servers = [lab.client('broken').address4, outside.address4];
      const resolver = new LabResolver(host, ...servers.flatMap((address) => ['--upstream', address]));
      await resolver.start();
      await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
      await host.vetch('network', 'create', 'other', '--subnet', '10.89.0.0/16', '--subnet', 'fd00:89::/64');
      const internal = ['--internal', '--subnet', '10.90.0.0/16', '--subnet', 'fd00:90::/64'];
      await host.vetch('network', 'create', 'vault', ...internal);
      const containers: Container[] = [];
      for (const [network, name] of [
        ['web', 'shop'],
        ['web', 'till'],
        ['other', 'spy'],
        ['vault', 'safe'],
      ] as const)
        containers.push((await host.attach(network, name))[0]);
      await resolver.process.until(/(answers on[\s\S]*){6}/);
      return new ResolverLab(lab, resolver, upstream, containers);
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What the upstream has said of a name that it was asked for. */
  asked(name: string): string[] {
    return this.upstream.output.split('\n').filter((line) => line.startsWith(`asked ${name} `));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }
}
