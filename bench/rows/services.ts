import { Lab } from '../../test/lab/lab.ts';
import { interleave } from '../measure/interleave.ts';
import { compare } from '../measure/rounds.ts';
import { atLeast, type Figure, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { connections, serveIn } from '../tools/connections.ts';
import { ports } from '../tools/path.ts';

const network = 'bench';

/** Hosts, and what each of them has. The client takes the service in the middle. */
const hosts = [
  { name: 'one', services: 1, backends: 1 },
  { name: 'ten', services: 1, backends: 10 },
  { name: 'many', services: 1000, backends: 10 },
] as const;

const vipOf = (index: number) => `10.88.${128 + Math.floor(index / 250)}.${1 + (index % 250)}`;

export const serviceConnections: Row = {
  number: 17,
  name: 'connections a second to a service: 1,000 services of 10 backends against one of one',
  async run() {
    await using lab = await Lab.create({ hosts: hosts.map(({ name }) => name), clients: [] });
    const paths = [];
    const servers = [];
    for (const { name, services, backends } of hosts) {
      const host = lab.host(name);
      await host.vetch('network', 'create', network, '--subnet', '10.88.0.0/16', '--ipv6');
      const addresses: string[] = [];
      const namespaces: string[] = [];
      for (let index = 0; index < backends; index++) {
        const [server, view] = await host.attach(network, `server${index}`, '--label', 'app=shop');
        namespaces.push(server.netns);
        addresses.push(view.addresses[0]?.replace(/[/].*/, '') ?? '');
      }
      // One process for all backends: what it costs to go from process to process is no service's.
      servers.push(await serveIn(host, namespaces));
      const [client] = await host.attach(network, 'client');
      using api = new Api(host);
      for (let index = 0; index < services; index++) {
        const select = { app: 'shop' };
        const service = {
          name: `shop${index}`,
          network,
          vip: vipOf(index),
          ports: [String(ports.connections)],
          select,
        };
        await api.call('POST', '/v1/services', service);
      }
      const path = { name, client, server: client, address: vipOf(Math.floor(services / 2)) };
      paths.push(path);
      if (name === 'ten') {
        // Clients of their own, for each has a quota of flows.
        for (const [name, address] of [
          ['first server', addresses[0] ?? ''],
          ['servers in turn', addresses.join()],
        ] as const) {
          const [client] = await host.attach(network, name.replaceAll(' ', '-'));
          paths.push({ name, client, server: client, address });
        }
      }
    }
    try {
      const subjects = await Promise.all(paths.map((path) => connections.subject(path)));
      // To ten servers a client's ports make ten times the flows: fewer of them stay within an endpoint's quota.
      await paths
        .find(({ name }) => name === 'servers in turn')
        ?.client.sysctl({ 'net/ipv4/ip_local_port_range': '1024 6000' });
      const { rounds, dropped } = await interleave(subjects, { control: 'one', rounds: 15 });
      const [many, ten, one] = ['many', 'ten', 'one'].map((name) => compare(rounds, name, 'one'));
      const turn = compare(rounds, 'servers in turn', 'first server');
      if (!many || !ten || !one) throw new Error('nothing was measured');
      const figure: Figure = {
        name: 'TCP connections a second to one of 1,000 services of 10 backends each',
        unit: '× one service of one backend',
        vetch: many.ratio,
        spread: many.spread,
        peers: { 'one service of 10 backends': ten.ratio, '10 servers in turn, no service, × one of them': turn.ratio },
        goal: atLeast(0.95),
        note: `medians in connections/s, same core: ${many.absolute}, one of 10 ${ten.absolute}, one of one ${one.absolute}; ${rounds.length} rounds, ${dropped} dropped; three hosts on one machine, the backends of a host in one process; what ten addresses cost without a service the second peer shows`,
      };
      return [figure];
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  },
};
