import { expect, test } from 'vitest';
import type { ReportedRow } from '../report/document.ts';
import { charts } from './all.ts';
import { countScale, niceTicks, valueScale } from './scale.ts';
import { seriesOf } from './series.ts';
import { type Chart, svg } from './svg.ts';

test('ticks are 1, 2, 5 and their decades, around all values', () => {
  expect(niceTicks(3, 60)).toEqual([2, 5, 10, 20, 50, 100]);
  expect(niceTicks(0.03, 0.2)).toEqual([0.02, 0.05, 0.1, 0.2]);
  expect(niceTicks(7, 7)).toEqual([5, 10]);
  expect(niceTicks(10, 10)).toEqual([10, 20]);
  expect(() => niceTicks(0, 5)).toThrow(RangeError);
});

test('a scale of values ends at ticks, and thins them out to decades where they are many', () => {
  const scale = valueScale([3, 60], 300, 0);
  expect([scale.at(2), scale.at(100)]).toEqual([300, 0]);
  expect(valueScale([1, 90_000], 300, 0).ticks).toEqual([1, 10, 100, 1000, 10_000, 100_000]);
});

test('a count of none stands one decade before the least, and each count once', () => {
  const scale = countScale([0, 100, 1000, 100], 0, 200);
  expect(scale.ticks).toEqual([0, 100, 1000]);
  expect(scale.ticks.map((tick) => scale.at(tick))).toEqual([0, 100, 200]);
});

const common = { row: 8, unit: 'ns', goal: '–', holds: true, note: '', date: '' };
const figure = (name: string, vetch: number, alone: number): ReportedRow => ({
  ...common,
  ...{ name, vetch, spread: [vetch - 1, vetch + 1], peers: { alone } },
});
const rows = [
  figure('way: 64,000 flows', 213, 149),
  figure('way: 1 flows', 65, 38),
  figure('way: all flows', 1, 1),
  figure('other way: 1 flows', 7, 7),
  { ...figure('way: 2 flows', 9, 9), row: 9 },
];

test('a line is of the figures of one row that are alike but for a count', () => {
  const source = { label: 'Vetch', row: 8, name: ['way: ', ' flows'] } as const;
  expect(seriesOf(rows, source)).toEqual({
    label: 'Vetch',
    ours: true,
    points: [
      { count: 1, value: 65, spread: [64, 66] },
      { count: 64_000, value: 213, spread: [212, 214] },
    ],
  });
  const beside = seriesOf(rows, { ...source, peer: 'alone' });
  expect(beside.ours).toBe(false);
  expect(beside.points.map(({ value }) => value)).toEqual([38, 149]);
  expect(seriesOf(rows, { ...source, peer: 'nobody' }).points).toEqual([]);
});

const chart: Chart = {
  title: 'Flows & <more>',
  counted: 'flows',
  unit: 'ns',
  series: [seriesOf(rows, { label: 'Vetch', row: 8, name: ['way: ', ' flows'] })],
};

test('a chart tells its values in words, and escapes what people wrote', () => {
  const drawn = svg(chart);
  expect(drawn).toContain('<title id="title">Flows &amp; &lt;more&gt;</title>');
  expect(drawn).toContain('Vetch: 65 at 1, 213 at 64,000.');
  expect(drawn).not.toContain('NaN');
});

test('a range that is far out ends where the chart does', () => {
  const [vetch] = chart.series;
  if (!vetch) throw new Error('there is a line');
  const far = { ...vetch, points: vetch.points.map((point) => ({ ...point, spread: [0.001, 1e6] })) };
  expect(svg({ ...chart, series: [far] })).toContain('<path d="M88 348V48M720 348V48"/>');
});

test('a chart is drawn alike each time', () => {
  expect(svg(chart)).toBe(svg(structuredClone(chart)));
});

test('every element of a chart is closed', () => {
  const open: string[] = [];
  for (const [, end, name = '', self] of svg(chart).matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end) expect(open.pop()).toBe(name);
    else if (!self) open.push(name);
  }
  expect(open).toEqual([]);
});

test('nothing is drawn of what was measured once or never', () => {
  expect(charts([])).toEqual([]);
  const one = figure('established, container to container: 1 flows', 65, 38);
  expect(charts([one])).toEqual([]);
  const drawn = charts([one, { ...one, name: 'established, container to container: 1,000 flows' }]);
  expect(drawn.map(({ file }) => file)).toEqual(['flows']);
});
