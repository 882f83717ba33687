import { PublishFlag, publishCodec } from '../../maps/generated/abi.ts';
import type { PublishedPort } from '../../model/endpoint.ts';
import { deleteEntries, setEntries } from '../apply/maps.ts';
import type { PublishChange, PublishCounts } from '../desired/publish-counts.ts';
import { publishEntries, publishedKey, remotePublishingOf } from '../desired/published.ts';
import type { RawMaps } from '../observed/maps.ts';
import type { PortDesk, RemotePort } from './remote-ports.ts';

/** What the kernel has of ports that lead to other hosts. */
export function keptPorts({ published }: RawMaps): Pick<PortDesk, 'isKept' | 'leads'> {
  const known = (key: Uint8Array) => lookUp(published, key);
  return {
    isKept: (port) => {
      const value = known(publishedKey(port));
      return value !== undefined && (publishCodec.decode(value).flags & PublishFlag.REMOTE) !== 0;
    },
    leads: ({ placed, ports }) => {
      const publishing = remotePublishingOf(placed.network);
      const entries = ports.flatMap((port) => publishEntries(placed.remote, publishing, port));
      return entries.every(({ key, value }) => Buffer.compare(known(key) ?? Buffer.alloc(0), value) === 0);
    },
  };
}

/** Changes such ports one by one. @param counts brought up to date by the way */
export function portDesk(maps: RawMaps, counts: PublishCounts): PortDesk {
  const apply = ({ set, remove }: PublishChange) => {
    deleteEntries(maps, remove);
    setEntries(maps, set);
  };
  const leave = ({ placed, ports }: RemotePort) => {
    const publishing = remotePublishingOf(placed.network);
    for (const port of ports) apply(counts.remove(placed.remote, publishing, port));
  };
  return {
    ...keptPorts(maps),
    isTaken: (port) => counts.isTaken(port, (key) => lookUp(maps.published, key) !== undefined),
    enter: ({ placed, ports }) => {
      const begun: PublishedPort[] = [];
      try {
        for (const port of ports) {
          begun.push(port);
          apply(counts.add(placed.remote, remotePublishingOf(placed.network), port));
        }
      } catch (error) {
        leave({ placed, ports: begun });
        throw error;
      }
    },
    leave,
  };
}

function lookUp({ raw }: RawMaps['published'], key: Uint8Array): Uint8Array | undefined {
  const value = new Uint8Array(publishCodec.size);
  return raw.lookup(key, value) ? value : undefined;
}
