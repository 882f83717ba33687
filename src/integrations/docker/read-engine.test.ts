import { expect, test } from 'vitest';
import type { EngineContainer } from './engine-client.ts';
import { inHostNamespace } from './read-engine.ts';

function container(id: string, mode: string, change: Partial<EngineContainer> = {}): EngineContainer {
  const base = { Id: id, Names: [`/${id}`], Image: 'debian', Labels: { app: id }, State: 'running' };
  return { ...base, HostConfig: { NetworkMode: mode }, ...change };
}

const engine = {
  inspect: async (id: string) => (id === 'gone' ? undefined : { Id: id, State: { Running: id !== 'ended', Pid: 42 } }),
};

test('who runs in the namespace of the host is found, also by way of another container', () => {
  const all = [
    container('one', 'host'),
    container('ended', 'host', { State: 'exited' }),
    container('paused', 'host', { State: 'paused' }),
    container('bridged', 'web'),
    container('beside', 'container:one'),
    container('beyond', 'container:beside'),
    container('apart', 'container:bridged'),
    container('lost', 'container:nowhere'),
    container('left', 'container:nowhere'),
    container('loop', 'container:loop'),
  ];
  const found = inHostNamespace(engine, all, (id) => id === 'left');
  expect(found.map(({ id }) => id)).toEqual(['one', 'paused', 'beside', 'beyond', 'left']);
  expect(found[0]).toMatchObject({ name: 'one', image: 'debian', labels: { app: 'one' } });
});

test('its process is asked for when it is wanted; one that has ended meanwhile has none', async () => {
  const pidOf = (id: string) => inHostNamespace(engine, [container(id, 'host')], () => false)[0]?.pid();
  expect(await Promise.all(['one', 'ended', 'gone'].map(pidOf))).toEqual([42, 0, 0]);
});
