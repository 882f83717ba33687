import { clusterPorts } from './cluster-ports.ts';
import { delivery } from './delivery.ts';
import { domainNames } from './domain-names.ts';
import { encapsulation } from './encapsulation.ts';
import { encryption } from './encryption.ts';
import { entries } from './entries.ts';
import { errors } from './errors.ts';
import { fragments } from './fragments.ts';
import { guard } from './guard.ts';
import { inHostsNamespace } from './in-host.ts';
import { lan } from './lan.ts';
import { limits } from './limits.ts';
import { malformed } from './malformed.ts';
import { neighbours } from './neighbours.ts';
import { outside } from './outside.ts';
import { overlay } from './overlay.ts';
import { policy } from './policy.ts';
import { publishing } from './publishing.ts';
import { routed } from './routed.ts';
import { services } from './services.ts';
import { straightPorts } from './straight-ports.ts';
import { straightByXdp } from './straight-xdp.ts';
import { xdp } from './xdp.ts';

/** Every table, by what it is about. */
export const tables = {
  'a neighbour': neighbours,
  delivery,
  'a container that may not': guard,
  'the world and the host': outside,
  publishing,
  'a service': services,
  'a routed network': routed,
  'a network on a parent device': lan,
  'a network that spans hosts': overlay,
  'a port that leads to another host': clusterPorts,
  'a port that another host answers': straightPorts,
  'and what of it leaves before the stack': straightByXdp,
  'a tunnel without its device': encapsulation,
  'an encrypted network': encryption,
  'an ICMP error': errors,
  fragments,
  'an entry of conntrack': entries,
  'a malformed packet': malformed,
  'a limit': limits,
  policy,
  'a container in the namespace of the host': inHostsNamespace,
  'domain names': domainNames,
  'the deny list': xdp,
} as const;
