/**
 * The path of a container's cgroup in cgroup2; undefined: it has none of its own. One that others are in too, as the
 * engine's where containers live in cgroup v1, is not its own: a container's has the container's id in its name.
 *
 * @param text of `/proc/PID/cgroup` of its first process, which may have moved deeper
 * @param root where cgroup2 is mounted
 * @param id 64 hex digits
 */
export function containerCgroup(text: string, root: string, id: string): string | undefined {
  const line = text.split('\n').find((one) => one.startsWith('0::/'));
  const names = line?.slice('0::/'.length).split('/') ?? [];
  const own = names.findIndex((name) => name.includes(id));
  if (own < 0 || names.includes('..')) return undefined;
  return [root, ...names.slice(0, own + 1)].join('/');
}
