import { z } from 'zod';

/** Refuses what could break a line of output or a log: control characters, line ends. */
const printable = /^\P{Cc}*$/u;

/** Name of an object that the user names: Docker's rule, so that names go both ways. */
export const objectName = z
  .string()
  .max(128, 'must be at most 128 characters')
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/,
    'must begin with a letter or digit and hold only letters, digits, "_", "." and "-"',
  );

/** REF of interface terms: `NAME`, `NETWORK/NAME`, an id's prefix, `label:K=V`, an address or CIDR, `world`, `host`. */
export const reference = z
  .string()
  .min(1, 'must not be empty')
  .max(640, 'must be at most 640 characters')
  .regex(printable, 'must not hold control characters');

export const protocol = z.enum(['tcp', 'udp', 'sctp'], 'must be tcp, udp or sctp');

export const portNumber = z.int('must be a whole number').min(1, 'must be 1 to 65535').max(65535, 'must be 1 to 65535');

/** A port in a query string, where everything is text. */
export const portText = z.coerce.number('must be a port number').pipe(portNumber);

export const ipAddress = z.union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address');

export const cidr = z.union([z.cidrv4(), z.cidrv6()], 'must be a prefix such as 10.88.0.0/16 or fd00:88::/64');

/** A prefix, or an address that stands for the prefix of its full length. */
export const cidrOrAddress = z.union(
  [z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()],
  'must be a prefix such as 192.0.2.0/24 or 2001:db8::/32, or an address',
);

export const mac = z
  .string()
  .regex(/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/, 'must be a MAC address such as 02:42:0a:58:00:02');

export const absolutePath = z
  .string()
  .max(4095, 'must be at most 4095 characters')
  .regex(/^\/\P{Cc}*$/u, 'must be an absolute path');

/** What the kernel takes as the name of a device: 1 to 15 characters. */
export const interfaceName = z
  .string()
  .regex(
    /^(?!\.{1,2}$)(?!lo$)[^\s/:%\p{Cc}]{1,15}$/u,
    'must be 1 to 15 characters, without space, "/", ":" and "%", and not "lo"',
  );

const key = z
  .string()
  .max(317, 'must be at most 317 characters')
  .regex(/^[^\s=\p{Cc}]+$/u, 'must not be empty nor hold space or "="');
const value = z
  .string()
  .max(4096, 'must be at most 4096 characters')
  .regex(printable, 'must not hold control characters');

export const labelKey = key;

/** Labels and options: text by text. */
export const textMap = z.record(key, value);

/** Docker's `[ip|[ip6]:][hostPort[-end]]:containerPort[-end][/tcp|udp|sctp]`; parsed where ports are allocated. */
export const publishSpec = z
  .string()
  .max(128, 'must be at most 128 characters')
  .regex(/^\S+$/, 'must be [ip:][hostPort[-end]:]containerPort[-end][/tcp|udp|sctp], without space');

/** RFC 3339. */
export const timestamp = z.iso.datetime({
  offset: true,
  message: 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z',
});

/** A repeatable flag of a query string: absent, once, or several times. */
export function repeated<Item extends z.ZodType>(item: Item) {
  return z.preprocess(
    (input) => (input === undefined ? [] : Array.isArray(input) ? input : [input]),
    z.array(item).max(256, 'must be given at most 256 times'),
  );
}
