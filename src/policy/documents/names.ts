import { z } from 'zod';
import { parsePrefix } from '../../model/address.ts';
import { refused } from './refusal.ts';

const labelPart = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const domain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** What a missing and a wrongly typed field say. */
export function field(kind: string, example: string) {
  return {
    error: (issue: z.core.$ZodRawIssue): string | undefined => {
      if (issue.code === 'unrecognized_keys') return undefined;
      return issue.input === undefined
        ? refused('is missing', `write ${kind} there, as ${example}`)
        : refused(`must be ${kind}`, `write it as ${example}`);
    },
  };
}

/** One word of several. `what`: what a wrong one is not, as `an action`. */
export function oneOf<const Words extends readonly string[]>(words: Words, what: string) {
  return z.enum(words, {
    error: ({ input }) =>
      refused(
        input === undefined ? 'is missing' : `${JSON.stringify(input)} is not ${what}`,
        `use ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
      ),
  });
}

/** `[prefix/]name` of Kubernetes: the prefix a domain name, the name at most 63 characters. */
export const labelKey = z.string(field('text', 'app')).superRefine((key, context) => {
  if (isLabelKey(key)) return;
  context.addIssue(refused(`${JSON.stringify(key)} is not a label key`, 'write it as app or example.com/app'));
});

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  const [prefix, name] = slash === -1 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
  return labelPart.test(name) && (prefix === undefined || (prefix.length <= 253 && domain.test(prefix)));
}

/**
 * Whether a label of that key can have that value: what Kubernetes allows. The labels that Vetch adds hold names of
 * images and networks, which allow more: any printable text without space, up to 255 characters.
 */
export function isLabelValue(key: string, value: string): boolean {
  const isAdded = key.startsWith('vetch.io/') || key === 'kubernetes.io/metadata.name';
  return value === '' || (isAdded ? /^[^\s\p{Cc}]{1,255}$/u : labelPart).test(value);
}

export function badLabelValue(value: string): string {
  return refused(
    `${JSON.stringify(value)} is not a label value`,
    'use at most 63 letters, digits, "-", "_" and ".", a letter or digit first and last',
  );
}

/** Labels as a document's metadata has them. */
export const labels = z
  .record(z.string(), z.string(field('text', '"1", in quotes')), field('a mapping', 'app: web'))
  .superRefine((map, context) => {
    for (const [key, value] of Object.entries(map)) {
      const ofKey = labelKey.safeParse(key);
      if (!ofKey.success) context.addIssue({ code: 'custom', message: ofKey.error.issues[0]?.message, path: [key] });
      else if (!isLabelValue(key, value))
        context.addIssue({ code: 'custom', message: badLabelValue(value), path: [key] });
    }
  });

/** Name of a document: a domain name in lower case, at most 253 characters. */
export const documentName = z
  .string(field('a name', 'allow-web'))
  .refine(
    (name) => name.length <= 253 && domain.test(name),
    refused(
      'is not a name',
      'use lower-case letters, digits, "-" and ".", a letter or digit first and last, at most 253',
    ),
  );

/** Name of a policy namespace: a compose project's or a network's, which allow more than Kubernetes' own. */
export const namespaceName = z
  .string(field('a name', 'web'))
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/,
    refused('is not a namespace', 'use letters, digits, "_", "." and "-", a letter or digit first, at most 128'),
  );

export const portNumber = z
  .int(field('a port number', '80'))
  .min(1, refused('is no port', 'write 1 to 65535'))
  .max(65_535, refused('is no port', 'write 1 to 65535'));

/** Name of a port (RFC 6335): at most 15 of `a-z0-9-`, with a letter. */
export const portName = z
  .string(field('the name of a port', 'http'))
  .refine(
    isPortName,
    refused(
      'is not the name of a port',
      'use at most 15 of a-z, 0-9 and "-", with a letter, or write a number without quotes',
    ),
  );

export function isPortName(name: string): boolean {
  return /^(?=.*[a-z])[a-z0-9](-?[a-z0-9]){0,14}$/.test(name) && name.length <= 15;
}

/** A prefix of either family; bits after its length are ignored, as Kubernetes does. */
export const cidr = z.string(field('a prefix', '10.0.0.0/8')).superRefine((text, context) => {
  try {
    parsePrefix(text);
  } catch {
    context.addIssue(refused(`${JSON.stringify(text)} is not a prefix`, 'write it as 10.0.0.0/8 or fd00::/8'));
  }
});

/** An exact name, or `*.` and the domain whose names of any depth it stands for. */
export const domainName = z
  .string(field('a domain name', 'example.com'))
  .max(253, refused('is too long', 'a domain name has at most 253 characters'))
  .regex(
    /^(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/,
    refused('is not a domain name', 'write it as example.com, or *.example.com for all below it'),
  );
