import type { Command } from 'commander';
import type { DaemonOptions, StoreAccess } from '../daemon/options.ts';
import { command, defaultConfig, defaultResolverDirectory, defaultSocket } from './command.ts';
import type { SettingFlags, Settings } from './daemon-settings.ts';
import { usageFailure } from './failure.ts';

interface Flags {
  readonly node?: string;
  readonly state?: string;
  readonly bpffs?: string;
  readonly cgroup?: string;
  readonly uplink?: string;
  readonly dockerPlugins?: string;
  readonly dockerEngine?: string;
  readonly resolver?: string;
  readonly store?: string;
  readonly storePrefix?: string;
  readonly storeCa?: string;
  readonly storeCert?: string;
  readonly storeKey?: string;
  readonly storeUser?: string;
  readonly storePasswordFile?: string;
  readonly metrics?: string;
  readonly config?: string;
  readonly uninstall?: boolean;
  readonly socket?: string;
}

export function daemon(): Command {
  return command(
    'daemon',
    'Run the daemon: it loads the programs and keeps the maps. SIGTERM stops it and leaves the datapath running',
    'vetch daemon --uplink eth0 --metrics 127.0.0.1:9100',
  )
    .option('--node <name>', "this host's name (default: host name)")
    .option('--state <dir>', 'the store, and what else outlives the daemon (default: /var/lib/vetch)')
    .option('--bpffs <dir>', 'where the pins lie (default: /sys/fs/bpf/vetch)')
    .option('--cgroup <dir>', "whose processes the socket hooks serve (default: cgroup2's root)")
    .option('--uplink <names>', 'devices that lead out: auto, or eth0,eth1 (default: auto)')
    .option('--docker-plugins <dir>', "Docker's plugin directory, or off (default: /run/docker/plugins)")
    .option('--docker-engine <socket>', "Docker's socket, or off (default: /var/run/docker.sock)")
    .option(
      '--resolver <dir>',
      `the resolver's --run, to see whether it runs, or off (default: ${defaultResolverDirectory})`,
    )
    .option('--store <where>', 'embedded, or etcd://HOST:PORT[,HOST:PORT...] (default: embedded)')
    .option('--store-prefix <prefix>', "before each of the cluster's keys (default: /vetch)")
    .option('--store-ca <file>', 'speak TLS with etcd, which is to be known by this authority, or by one of: system')
    .option('--store-cert <file>', "this host's certificate for etcd")
    .option('--store-key <file>', 'the key that belongs to it')
    .option('--store-user <name>', 'log in to etcd by this name')
    .option('--store-password-file <file>', 'its password, as the first line')
    .option('--metrics <address>', 'serve /metrics by TCP, as 127.0.0.1:9100, or off (default: off)')
    .option('--config <file>', `the same keys as YAML; flags win (default: ${defaultConfig})`)
    .option('--uninstall', 'remove every trace from the kernel, list what was removed, and leave')
    .addHelpText('after', `\nIts socket is --socket (default: ${defaultSocket}).`)
    .action(async (_: Flags, self: Command) => {
      const options = await daemonOptions(self.optsWithGlobals<Flags>());
      const { runDaemon } = await import('../daemon/main.ts');
      // Its handles are its own business: whatever is still open must not keep a stopped daemon alive.
      process.exit(await runDaemon(options));
    });
}

/** @throws Failure when a flag, or a key of the configuration file, is wrong. */
export async function daemonOptions(flags: Flags): Promise<DaemonOptions> {
  const { readSettings } = await import('./daemon-settings.ts');
  const socket = flags.socket ?? (process.env.VETCH_SOCKET || undefined);
  const { settings, config } = await readSettings(given({ ...flags, socket }), flags.config);
  return {
    node: settings.node,
    state: settings.state,
    bpffs: settings.bpffs,
    ...(settings.cgroup === undefined ? {} : { cgroup: settings.cgroup }),
    socket: settings.socket,
    uplink: settings.uplink,
    dockerPlugins: settings['docker-plugins'],
    dockerEngine: settings['docker-engine'],
    resolver: settings.resolver,
    store: settings.store,
    storeAccess: storeAccess(settings),
    metrics: settings.metrics,
    ...(config === undefined ? {} : { config }),
    uninstall: flags.uninstall === true,
    mapSizes: settings['map-sizes'],
  };
}

/** @throws Failure when one is given without the other that it is of no use without */
function storeAccess(settings: Settings): StoreAccess {
  const {
    'store-ca': ca,
    'store-cert': certificate,
    'store-key': key,
    'store-user': user,
    'store-password-file': passwordFile,
  } = settings;
  const pairs = [
    ['store-cert', certificate, 'store-key', key],
    ['store-key', key, 'store-cert', certificate],
    ['store-cert', certificate, 'store-ca', ca],
    ['store-user', user, 'store-password-file', passwordFile],
    ['store-password-file', passwordFile, 'store-user', user],
  ] as const;
  for (const [name, value, other, needed] of pairs) {
    if (value !== undefined && needed === undefined) {
      throw usageFailure(`--${name} is given without --${other}`, `give both, or neither; see vetch daemon --help`);
    }
  }
  return {
    prefix: settings['store-prefix'],
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(user === undefined ? {} : { user }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
  };
}

/** The flags that were given, by their key in the configuration file. */
function given(flags: Omit<Flags, 'socket'> & { readonly socket: string | undefined }): SettingFlags {
  const all: Record<keyof SettingFlags, string | undefined> = {
    node: flags.node,
    state: flags.state,
    bpffs: flags.bpffs,
    cgroup: flags.cgroup,
    socket: flags.socket,
    uplink: flags.uplink,
    'docker-plugins': flags.dockerPlugins,
    'docker-engine': flags.dockerEngine,
    resolver: flags.resolver,
    store: flags.store,
    'store-prefix': flags.storePrefix,
    'store-ca': flags.storeCa,
    'store-cert': flags.storeCert,
    'store-key': flags.storeKey,
    'store-user': flags.storeUser,
    'store-password-file': flags.storePasswordFile,
    metrics: flags.metrics,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
