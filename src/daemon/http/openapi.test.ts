import { expect, test } from 'vitest';
import { z } from 'zod';
import { ApiHost } from '../../../test/api/api-host.ts';
import { routes } from './routes/all.ts';

const document = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

test('the document has every route, and every reference in it leads somewhere', async () => {
  await using host = await ApiHost.start();
  const answer = await host.call('GET', '/v1/openapi.json');
  const { paths, components } = document.parse(answer.body);
  for (const route of routes) {
    expect(paths[`/v1${route.path}`]?.[route.method.toLowerCase()]).toMatchObject({ operationId: route.operation });
  }
  const references = [...answer.text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    (match) => match[1] ?? '',
  );
  expect(references.length).toBeGreaterThan(20);
  for (const name of references) expect(Object.keys(components.schemas)).toContain(name);
});

test('requests show what may be left out, views what is always there', async () => {
  await using host = await ApiHost.start();
  const { components } = document.parse((await host.call('GET', '/v1/openapi.json')).body);
  expect(components.schemas.CreateNetwork?.required).toEqual(['name']);
  expect(components.schemas.Network?.required).toContain('endpoints');
  expect(Object.keys(components.schemas.Flow?.properties ?? {})).toContain('decidedBy');
});

test('a filter is a parameter that may be left out', async () => {
  await using host = await ApiHost.start();
  const { paths } = document.parse((await host.call('GET', '/v1/openapi.json')).body);
  expect(paths['/v1/flows']?.get?.parameters).toContainEqual(
    expect.objectContaining({ name: 'not.port', in: 'query', required: false }),
  );
  expect(paths['/v1/endpoints/{ref}/ports']?.delete?.parameters).toContainEqual(
    expect.objectContaining({ name: 'spec', required: true }),
  );
});
