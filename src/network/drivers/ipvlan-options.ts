import { type OptionRules, parseChoice } from '../options.ts';
import { type MacvlanOptions, macvlanRules, parseMacvlanOptions } from './macvlan-options.ts';

type Options = Readonly<Record<string, string>>;

/** What the options of an ipvlan network say, defaults filled in. */
export interface IpvlanOptions extends Omit<MacvlanOptions, 'mode'> {
  /**
   * Docker's words. `l2`, the default: machines of the LAN, all under the parent's MAC. `l3`: a subnet of its own, which
   * the LAN's routers send to this host; `l3s` is the same here.
   */
  readonly mode: 'l2' | 'l3' | 'l3s';
  /** `bridge`, the default: endpoints reach each other on this host. `private`: never. `vepa`, of l2: by the switch outside. */
  readonly flag: 'bridge' | 'private' | 'vepa';
}

const mode = parseChoice('l2', 'l3', 'l3s');
const flag = parseChoice('bridge', 'private', 'vepa');

export const ipvlanRules: OptionRules = {
  ...macvlanRules,
  ipvlan_mode: { parse: mode },
  ipvlan_flag: { parse: flag },
  macvlan_mode: { unsupported: 'leave it out: it belongs to macvlan networks' },
  'com.docker.network.bridge.enable_icc': { unsupported: 'use ipvlan_flag=private' },
};

/** Of options that `checkOptions` has let through. */
export function parseIpvlanOptions(options: Options): IpvlanOptions {
  const { ipvlan_mode: asked, ipvlan_flag: how, ...rest } = options;
  return {
    ...parseMacvlanOptions(rest),
    mode: asked === undefined ? 'l2' : mode(asked),
    flag: how === undefined ? 'bridge' : flag(how),
  };
}
