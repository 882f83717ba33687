/** `endpoint_key` to `endpointKey`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `endpoint_key` to `EndpointKey`. */
export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}

/**
 * Enumerators without the words that repeat their enum's name: `REASON_SPOOFED` of `enum drop_reason` is `SPOOFED`,
 * `CONFIG_EVENTS_DROPPED` of `enum config_flag` is `EVENTS_DROPPED` though all its enumerators share `EVENTS`.
 */
export function withoutPrefix(enumName: string, enumerators: readonly string[]): string[] {
  const words = new Set(enumName.toUpperCase().split('_'));
  const split = enumerators.map((name) => name.split('_'));
  const first = split[0] ?? [];
  let shared = 0;
  while (
    words.has(first[shared] ?? '') &&
    split.every((name) => name[shared] === first[shared] && name.length > shared + 1)
  ) {
    shared++;
  }
  return split.map((name) => name.slice(shared).join('_'));
}
