import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { absolutePath, interfaceName } from '../api/schemas/common.ts';
import { defaultConfig, defaultResolverDirectory, defaultSocket } from './command.ts';
import { Failure, usageFailure } from './failure.ts';

const directoryOrOff = z.union([z.literal('off'), absolutePath], 'must be an absolute path, or off');
const endpoints = String.raw`(\[[0-9a-fA-F:.]+\]|[^\s:/,\[\]]+):\d{1,5}`;
const etcd = new RegExp(`^etcd://${endpoints}(,${endpoints})*$`);

const uplink = z.preprocess(
  (value) => (typeof value === 'string' && value !== 'auto' ? value.split(',').map((name) => name.trim()) : value),
  z.union([z.literal('auto'), z.array(interfaceName).min(1)], 'must be auto, or names of devices as eth0,eth1'),
);

const metrics = z.union([z.literal('off'), z.string()]).transform((text, context) => {
  if (text === 'off') return 'off' as const;
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    context.addIssue({ code: 'custom', message: 'must be ADDR:PORT as 127.0.0.1:9100 or [::1]:9100, or off' });
    return z.NEVER;
  }
  return { host: bracketed ?? (plain || '0.0.0.0'), port };
});

/** Flags without their dashes, and the keys of the configuration file. */
const settings = z.strictObject({
  node: z
    .string()
    .regex(/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$/, 'must be a host name')
    .default(() => hostname()),
  state: absolutePath.default('/var/lib/vetch'),
  bpffs: absolutePath.default('/sys/fs/bpf/vetch'),
  cgroup: absolutePath.optional(),
  socket: absolutePath.default(defaultSocket),
  uplink: uplink.default('auto'),
  'docker-plugins': directoryOrOff.default('/run/docker/plugins'),
  'docker-engine': directoryOrOff.default('/var/run/docker.sock'),
  resolver: directoryOrOff.default(defaultResolverDirectory),
  store: z
    .union([z.literal('embedded'), z.string().regex(etcd)], 'must be embedded, or etcd://HOST:PORT[,HOST:PORT...]')
    .default('embedded'),
  'store-prefix': z
    .string()
    .regex(/^(\/[a-zA-Z0-9._-]+)+$/, 'must be a prefix of keys, as /vetch or /vetch/production')
    .default('/vetch'),
  'store-ca': z.union([z.literal('system'), absolutePath], 'must be an absolute path, or system').optional(),
  'store-cert': absolutePath.optional(),
  'store-key': absolutePath.optional(),
  'store-user': z.string().min(1, 'must be a name').optional(),
  'store-password-file': absolutePath.optional(),
  metrics: metrics.default('off'),
  'map-sizes': z.record(z.string(), z.int().min(1, 'must be at least 1')).default({}),
});

export type Settings = z.output<typeof settings>;
export type SettingFlags = Partial<Record<Exclude<keyof Settings, 'map-sizes'>, string>>;

export interface ReadSettings {
  readonly settings: Settings;
  /** The configuration file that was read. */
  readonly config: string | undefined;
}

/**
 * Flags before the configuration file, and that before the defaults.
 *
 * @throws Failure INVALID naming the flag or the file and key that is wrong; NOT_FOUND for a `--config` that is not there.
 */
export async function readSettings(flags: SettingFlags, configFlag: string | undefined): Promise<ReadSettings> {
  const path = configFlag ?? defaultConfig;
  const file = await readConfig(path, configFlag !== undefined);
  const result = settings.safeParse({ ...file, ...flags });
  if (result.success) return { settings: result.data, config: file ? path : undefined };
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => JSON.stringify(key)).join(', ');
    const known = Object.keys(settings.shape).join(', ');
    throw new Failure('INVALID', `${path} has the unknown key ${names}`, `the keys are ${known}`);
  }
  const key = String(issue?.path[0] ?? '');
  const must = issue?.message.startsWith('must') ? issue.message : 'must be of another form';
  if (Object.hasOwn(flags, key)) {
    const value = JSON.stringify(Reflect.get(flags, key));
    throw usageFailure(`--${key} is ${value}`, `it ${must}; see vetch daemon --help`);
  }
  const where = issue?.path.map(String).join('.') ?? key;
  throw new Failure('INVALID', `${path}: ${where} is ${JSON.stringify(file?.[key])}`, `it ${must}`);
}

async function readConfig(path: string, mustExist: boolean): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return undefined;
    const hint = 'check the path and its permissions';
    if (code === 'ENOENT') throw new Failure('NOT_FOUND', `there is no file ${path}`, hint);
    throw new Failure('INVALID', `cannot read ${path}: ${message}`, hint);
  }
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Failure('INVALID', `${path} is not YAML: ${reason}`, 'mend it, or name another file with --config');
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new Failure('INVALID', `${path} is not a map of keys`, `write one key a line, as node: ${hostname()}`);
  }
  return { ...value };
}
