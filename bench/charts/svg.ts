import { countScale, type LogScale, valueScale } from './scale.ts';
import type { Point, Series } from './series.ts';

export interface Chart {
  readonly title: string;
  /** What is counted along the chart. */
  readonly counted: string;
  /** What the values are. */
  readonly unit: string;
  readonly series: readonly Series[];
}

const [width, plotHeight, legendLine] = [760, 300, 20];
const area = { left: 72, right: width - 24, top: 48 };

/** Readable for those who see red and green alike; the marks and dashes tell the lines apart without any. */
const style = `
    .chart { font: 13px system-ui, sans-serif; fill: #24292f; color-scheme: light dark }
    .title { font-size: 16px; font-weight: 600 }
    .grid { stroke: #d0d7de; fill: none }
    .line { fill: none; stroke-width: 2 }
    .peer { stroke-dasharray: 6 4 }
    .c0 { stroke: #0969da; color: #0969da }
    .c1 { stroke: #bc4c00; color: #bc4c00 }
    .c2 { stroke: #1a7f37; color: #1a7f37 }
    .c3 { stroke: #8250df; color: #8250df }
    .c4 { stroke: #6e7781; color: #6e7781 }
    .mark { fill: currentColor }
    @media (prefers-color-scheme: dark) {
      .chart { fill: #d1d7e0 }
      .grid { stroke: #3d444d }
      .c0 { stroke: #4493f8; color: #4493f8 }
      .c1 { stroke: #f0883e; color: #f0883e }
      .c2 { stroke: #3fb950; color: #3fb950 }
      .c3 { stroke: #ab7df8; color: #ab7df8 }
      .c4 { stroke: #9198a1; color: #9198a1 }
    }
  `;
const colours = 5;

/** A chart of lines over a logarithm of counts, for people with a screen of any colour and for those who have it read out. */
export function svg({ title, counted, unit, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const bottom = area.top + plotHeight;
  const x = countScale(
    points.map(({ count }) => count),
    area.left + 16,
    area.right - 16,
  );
  const y = valueScale(
    // One that was far out is not to press all others together: its range ends where the chart does.
    points.map(({ value }) => value),
    bottom,
    area.top,
  );
  const height = bottom + 56 + series.length * legendLine;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" class="chart" role="img" aria-labelledby="title desc">`,
    `  <title id="title">${escaped(title)}</title>`,
    `  <desc id="desc">${escaped(described({ title, counted, unit, series }))}</desc>`,
    `  <style>${style}</style>`,
    `  <text class="title" x="${area.left}" y="20">${escaped(title)}</text>`,
    `  <text x="${area.left}" y="38">${escaped(unit)}</text>`,
    ...y.ticks.map((tick) => grid(`M${area.left} ${round(y.at(tick))}H${area.right}`)),
    ...y.ticks.map((tick) => text(area.left - 8, y.at(tick) + 4, 'end', written(tick))),
    ...x.ticks.map((tick) => grid(`M${round(x.at(tick))} ${bottom}v5`)),
    ...x.ticks.map((tick) => text(x.at(tick), bottom + 20, 'middle', written(tick))),
    text((area.left + area.right) / 2, bottom + 40, 'middle', counted),
    ...series.flatMap((one, index) => drawn(one, index, x, y)),
    ...series.flatMap((one, index) => legend(one, index, bottom + 60 + index * legendLine)),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

function drawn({ ours, points }: Series, index: number, x: LogScale, y: LogScale): string[] {
  const place = ({ count, value }: Point) => `${round(x.at(count))} ${round(y.at(value))}`;
  const ranges = points.flatMap(({ count, spread: [least, greatest] }) =>
    least === undefined || greatest === undefined
      ? []
      : [`M${round(x.at(count))} ${within(y.at(least))}V${within(y.at(greatest))}`],
  );
  return [
    `  <g class="c${index % colours}">`,
    `    <path class="line${ours ? '' : ' peer'}" d="M${points.map(place).join('L')}"/>`,
    ...(ranges.length > 0 ? [`    <path d="${ranges.join('')}"/>`] : []),
    ...points.map(({ count, value }) => `    ${mark(index, x.at(count), y.at(value))}`),
    '  </g>',
  ];
}

function legend({ label, ours }: Series, index: number, at: number): string[] {
  const [start, end] = [area.left, area.left + 32];
  return [
    `  <g class="c${index % colours}"><path class="line${ours ? '' : ' peer'}" d="M${start} ${at}H${end}"/>${mark(index, (start + end) / 2, at)}</g>`,
    text(end + 8, at + 4, 'start', label),
  ];
}

/** Each line its own form. */
function mark(index: number, x: number, y: number): string {
  const [left, right, up, down] = [x - 4, x + 4, y - 4, y + 4].map(round);
  const [cx, cy] = [round(x), round(y)];
  const shapes = [
    `<circle class="mark" cx="${cx}" cy="${cy}" r="4"/>`,
    `<path class="mark" d="M${left} ${up}H${right}V${down}H${left}Z"/>`,
    `<path class="mark" d="M${cx} ${up}L${right} ${down}H${left}Z"/>`,
    `<path class="mark" d="M${cx} ${up}L${right} ${cy}L${cx} ${down}L${left} ${cy}Z"/>`,
    `<path class="line" d="M${left} ${up}L${right} ${down}M${left} ${down}L${right} ${up}"/>`,
  ];
  return shapes[index % shapes.length] ?? '';
}

function described({ counted, unit, series }: Chart): string {
  const told = series.map(({ label, points }) => {
    const values = points.map(({ count, value }) => `${written(value)} at ${written(count)}`);
    return `${label}: ${values.join(', ')}.`;
  });
  return `Both axes are logarithmic. ${unit}, by ${counted}. ${told.join(' ')}`;
}

const grid = (path: string) => `  <path class="grid" d="${path}"/>`;
const text = (x: number, y: number, anchor: 'start' | 'middle' | 'end', content: string) =>
  `  <text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;

const within = (pixel: number) => round(Math.min(Math.max(pixel, area.top), area.top + plotHeight));

/** A tenth of a pixel is enough, and is the same everywhere. */
const round = (pixel: number) => Math.round(pixel * 10) / 10;
const written = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 4 });

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
