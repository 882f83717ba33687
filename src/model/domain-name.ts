/** As names are compared: lower case, without the final dot. Only of ASCII: the Kelvin sign is no k to a server. */
export function canonicalDomain(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()).replace(/\.$/, '');
}

/** Whether a pattern, `example.com` or `*.example.com`, which stands for all below it, is for a name. Both canonical. */
export function matchesDomain(pattern: string, name: string): boolean {
  return pattern.startsWith('*.')
    ? name.length > pattern.length - 1 && name.endsWith(pattern.slice(1))
    : name === pattern;
}
