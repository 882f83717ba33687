/** One family of Prometheus' text format 0.0.4. Source: prometheus.io/docs/instrumenting/exposition_formats. */
export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number | bigint;
}

/** A family with one sample and no labels. */
export function single(name: string, type: MetricFamily['type'], help: string, value: number | bigint): MetricFamily {
  return { name, type, help, samples: [{ value }] };
}

/** The text that a scrape gets; families without samples are left out. */
export function exposition(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, type, help, samples }) =>
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${samples
          .map((sample) => `${name}${labelText(sample.labels)} ${sample.value}\n`)
          .join('')}`,
    )
    .join('');
}

function labelText(labels: MetricSample['labels']): string {
  const pairs = Object.entries(labels ?? {}).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
