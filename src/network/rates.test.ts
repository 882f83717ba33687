import { describe, expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import { formatRate } from '../model/rate.ts';
import { BadValue } from './options.ts';
import { badRateLabels, checkRateLabels, parseRate, ratesOf } from './rates.ts';

describe('a rate', () => {
  test.each([
    ['100Mbit', 100_000_000],
    ['100mbit', 100_000_000],
    ['2.5Gbit', 2_500_000_000],
    ['100kbit', 100_000],
    ['128Kibit', 131_072],
    ['1Mibit', 1_048_576],
    ['1Gibit', 1_073_741_824],
    ['100Gbit', 100_000_000_000],
    ['0.1Tbit', 100_000_000_000],
    ['150000', 150_000],
    ['150000bit', 150_000],
    ['none', undefined],
  ])('%s is %s bits a second', (text, bits) => {
    expect(parseRate(text)).toBe(bits);
  });

  test.each([
    ...['', '0', '0Mbit', '99kbit', '101Gbit', '1Tbit', '-1Mbit', '+1Mbit', '1e6', '1 Mbit', 'Mbit', '100MB'],
    ...['100Mbps', '1.Mbit', '.5Gbit', 'None', 'unlimited', 'NaN', 'Infinity', '1Mbit\n', '0x10Mbit', '1Mbit '],
    ...['9'.repeat(40), 'constructor', '1constructor'],
  ])('%j is none', (text) => {
    expect(() => parseRate(text)).toThrow(BadValue);
  });

  test.each([
    [100_000, '100kbit'],
    [131_072, '131.072kbit'],
    [100_000_000, '100Mbit'],
    [2_500_000_000, '2.5Gbit'],
    [100_001, '100.001kbit'],
    [1_073_741_824, '1073741.824kbit'],
  ])('%i bits a second are shown as %s, which is read as the same', (bits, text) => {
    expect(formatRate(bits)).toBe(text);
    expect(parseRate(text)).toBe(bits);
  });
});

describe('what limits an endpoint', () => {
  const [ingress, egress] = ['vetch.rate.ingress', 'vetch.rate.egress'];
  const of = (labels: object, options: object, network: object) =>
    ratesOf({ labels: { ...labels }, options: { ...options } }, { options: { ...network } });

  test('is nothing by default', () => expect(of({}, {}, {})).toEqual({}));

  test('is its label, else its option, else its network, each direction by itself', () => {
    const network = { [ingress]: '1Mbit', [egress]: '2Mbit' };
    expect(of({}, {}, network)).toEqual({ ingress: 1e6, egress: 2e6 });
    expect(of({}, { [egress]: '3Mbit' }, network)).toEqual({ ingress: 1e6, egress: 3e6 });
    expect(of({ [egress]: '4Mbit' }, { [egress]: '3Mbit' }, network)).toEqual({ ingress: 1e6, egress: 4e6 });
  });

  test('is nothing where none is said in the place of a rate', () => {
    expect(of({ [egress]: 'none' }, { [egress]: '3Mbit' }, {})).toEqual({});
    expect(of({}, { [egress]: 'none' }, { [egress]: '3Mbit' })).toEqual({});
  });

  test('does not change by a label that is no rate, which is told', () => {
    expect(of({ [egress]: 'fast' }, { [egress]: '3Mbit' }, {})).toEqual({ egress: 3e6 });
    expect(badRateLabels({ [egress]: 'fast', [ingress]: '1Mbit', app: 'fast' })).toEqual([`${egress}=fast`]);
    expect(() => checkRateLabels({ [egress]: 'fast' })).toThrow(VetchError);
    expect(() => checkRateLabels({ [egress]: 'none' })).not.toThrow();
  });
});
