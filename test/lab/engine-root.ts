import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.ts';
import { Machine } from './machine.ts';

/**
 * Has a folder with another distribution be the root of those of a host's processes that run in the machine given back: the
 * host's own namespaces, but for the files. The folder stays as it is. A plain chroot would not do: `docker import` fails there.
 *
 * @param root the folder, with everything that an engine needs
 * @param directory of the lab, on the disk; what is written goes there
 * @param shared paths that stay those of the machine
 */
export async function enterRoot(
  host: Host,
  root: string,
  directory: string,
  shared: readonly string[],
): Promise<Machine> {
  const layers = ['upper', 'work', 'root'].map((name) => join(directory, 'layers', name));
  for (const layer of layers) mkdirSync(layer, { recursive: true });
  const [upper, work, merged] = layers as [string, string, string];
  const script = `
    mount -t overlay -o "lowerdir=${root},upperdir=${upper},workdir=${work}" overlay "${merged}"
    for path in /proc /sys /dev /run ${shared.map((path) => `"${path}"`).join(' ')}; do
      mkdir -p "${merged}$path"
      mount --rbind "$path" "${merged}$path"
    done
    cd "${merged}"
    mkdir -p before
    pivot_root . before
    umount -l /before
    echo ready
    exec sleep infinity`;
  const holder = host.spawn('unshare', '--mount', '--propagation', 'slave', 'sh', '-ec', script);
  await holder.until(/ready/);
  return new Machine(host.name, { holder: holder.pid, cgroup: host.place.cgroup });
}
