import { VetchError } from '../api/error.ts';

type Options = Readonly<Record<string, string>>;

/** What is known about one option of a driver. */
export type OptionRule =
  /** Honoured. `parse` throws a sentence that says what the value should have been. */
  | { readonly parse: (value: string) => unknown }
  /** Known, and not honoured (yet): what to do instead. */
  | { readonly unsupported: string };

export type OptionRules = Readonly<Record<string, OptionRule>>;

/** What `parse` throws. */
export class BadValue extends Error {}

/**
 * Refuses every option that would not be honoured. `of` names whose options they are: `a bridge network`.
 *
 * @throws VetchError INVALID or UNSUPPORTED, naming the option
 */
export function checkOptions(rules: OptionRules, options: Options, of: string): void {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) throw unknownOption(rules, name, of);
    if ('unsupported' in rule) {
      throw new VetchError('UNSUPPORTED', `option ${name} is not supported by ${of}`, rule.unsupported);
    }
    try {
      rule.parse(value);
    } catch (error) {
      if (error instanceof VetchError || !(error instanceof BadValue)) throw error;
      throw new VetchError('INVALID', `option ${name} of ${of} cannot be '${value}'`, error.message);
    }
  }
}

/** As Go's strconv.ParseBool, which Docker uses. */
export function parseBoolean(value: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value)) return false;
  throw new BadValue('use true or false');
}

export function parseChoice<const Choice extends string>(...choices: Choice[]): (value: string) => Choice {
  return (value) => {
    const chosen = choices.find((choice) => choice === value);
    if (chosen === undefined) throw new BadValue(`use ${choices.join(' or ')}`);
    return chosen;
  };
}

/** `K=V,K=V`. */
export function parseLabels(value: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const pair of value.split(',')) {
    const [, key, text] = /^([^\s=,]{1,317})=([^,\p{Cc}]*)$/u.exec(pair) ?? [];
    if (key === undefined || text === undefined) throw new BadValue('write it as KEY=VALUE,KEY=VALUE');
    labels[key] = text;
  }
  return labels;
}

function unknownOption(rules: OptionRules, name: string, of: string): VetchError {
  const known = Object.keys(rules).filter((key) => {
    const rule = rules[key];
    return rule !== undefined && 'parse' in rule;
  });
  const hint = known.length === 0 ? `${of} has no options` : `${of} knows ${known.join(', ')}`;
  return new VetchError('INVALID', `unknown option ${name}`, hint);
}
