import { Machine } from './machine.ts';

/** A container as the control plane sees it: a network namespace on a host, and the processes that run in it. */
export class Container extends Machine {
  /** The path to give to `vetch endpoint attach --netns`. */
  readonly netns: string;

  constructor(name: string, host: Machine) {
    super(name, {
      holder: host.place.holder,
      netns: `/proc/${host.place.holder}/root/run/netns/${name}`,
      cgroup: `${host.place.cgroup}/${name}`,
    });
    this.netns = `/run/netns/${name}`;
  }
}
