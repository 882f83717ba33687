import { readFileSync } from 'node:fs';
import { VetchError } from '../api/error.ts';
import { KernelError } from '../loader/kernel-error.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { Netlink } from '../netlink/netlink.ts';
import { currentNetns, type Netns, openNetns } from '../netlink/netns.ts';

/**
 * A sandbox from within: its network namespace, held open, and a netlink socket in it. The namespace lives as long as
 * this does, so it is never kept.
 */
export class Sandbox implements Disposable {
  readonly netns: Netns;
  readonly netlink: Netlink;
  readonly path: string;

  private constructor(path: string, netns: Netns) {
    this.path = path;
    this.netns = netns;
    this.netlink = Netlink.open(netns);
  }

  /** @throws VetchError NOT_FOUND: nothing is there; INVALID: it is no sandbox */
  static open(path: string): Sandbox {
    const netns = open(path);
    try {
      using host = currentNetns();
      if (netns.equals(host)) {
        throw new VetchError(
          'INVALID',
          `${path} is the host's own network namespace`,
          'name the network namespace of a container, as /var/run/netns/web or /proc/PID/ns/net',
        );
      }
      return new Sandbox(path, netns);
    } catch (error) {
      netns.close();
      if (KernelError.is(error, 'EPERM')) {
        throw new VetchError('UNAVAILABLE', `the daemon may not enter ${path}`, 'run it with CAP_SYS_ADMIN', {
          cause: error,
        });
      }
      throw error;
    }
  }

  /** What no other sandbox of any boot has. A path may come to mean another one. */
  get identity(): string {
    return `${bootId()}/${this.netns.cookie}`;
  }

  ifnames(): string[] {
    return this.netlink.links().map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    this.netlink[Symbol.dispose]();
    this.netns.close();
  }
}

/** Name of the stored fact that tells which sandbox an endpoint was attached to. */
export function sandboxFact(endpointId: string): string {
  return `sandbox/${endpointId}`;
}

/**
 * Whether an endpoint may be given a new device in the sandbox that its path leads to now. A process's number may have
 * been given to another one, and so the path of another container's sandbox; a name was given by somebody on purpose.
 *
 * @param remembered the identity of the sandbox that it was attached to
 */
export function mayReattach(endpoint: Endpoint, sandbox: Sandbox, remembered: string | undefined): boolean {
  return sandbox.identity === remembered || !/^\/proc\/\d+\//.test(endpoint.netns);
}

function open(path: string): Netns {
  try {
    return openNetns(path);
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    if (cause.code === 'ENOENT') {
      throw new VetchError(
        'NOT_FOUND',
        `there is no network namespace at ${path}`,
        'make one with `ip netns add NAME`',
        {
          cause,
        },
      );
    }
    throw new VetchError(
      'INVALID',
      `${path} cannot be used as a network namespace: ${cause.code}`,
      'name a file such as /var/run/netns/web or /proc/PID/ns/net',
      { cause },
    );
  }
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}
