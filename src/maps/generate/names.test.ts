import { expect, test } from 'vitest';
import { camelCase, pascalCase, withoutPrefix } from './names.ts';

test('C names become TypeScript names', () => {
  expect(camelCase('other_source_port')).toBe('otherSourcePort');
  expect(camelCase('v4')).toBe('v4');
  expect(pascalCase('conntrack_key')).toBe('ConntrackKey');
});

test('enumerators lose the words of their enum, and no others', () => {
  expect(withoutPrefix('drop_reason', ['REASON_NONE', 'REASON_NO_ROUTE'])).toEqual(['NONE', 'NO_ROUTE']);
  expect(withoutPrefix('config_flag', ['CONFIG_EVENTS_DROPPED', 'CONFIG_EVENTS_FORWARDED'])).toEqual([
    'EVENTS_DROPPED',
    'EVENTS_FORWARDED',
  ]);
  expect(withoutPrefix('hook', ['HOOK_XDP', 'OTHER_TC'])).toEqual(['HOOK_XDP', 'OTHER_TC']);
});

test('an enumerator is never left without a name', () => {
  expect(withoutPrefix('step', ['STEP', 'STEP_TWO'])).toEqual(['STEP', 'STEP_TWO']);
});
