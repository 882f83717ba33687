/**
 * Runs measure.ts on Debian's 6.12, which has netkit, in a guest whose clock counts instructions, and prints what came of it:
 * the median of the rounds, and their range.
 *
 *   node bench/netkit/guest.ts [rounds] [round trips each]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boot } from '../../test/kernels/boot.ts';
import { CpioWriter } from '../../test/kernels/cpio.ts';
import { fetchKernel, type KernelFiles } from '../../test/kernels/kernel-package.ts';
import { RootTree } from '../../test/kernels/root-tree.ts';
import { median, range } from '../measure/statistics.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(checkout, '.cache/kernels');
const modules = ['drivers/net/veth', 'net/sched/sch_ingress', 'net/sched/cls_bpf'];

const init = (command: string) => `#!/bin/sh
for name in ${modules.map((path) => path.split('/').at(-1)).join(' ')}; do insmod /modules/$name.ko; done
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
cat /sys/devices/system/clocksource/clocksource0/current_clocksource
cd /vetch && ${command} >/result
stty -F /dev/ttyS1 raw
cat /result >/dev/ttyS1
poweroff -f
`;

function writeInitramfs(path: string, kernel: KernelFiles, command: string): void {
  using archive = new CpioWriter(path);
  const tree = new RootTree(archive);
  for (const directory of ['/dev', '/proc', '/sys']) tree.directory(directory);
  tree.file('/bin/busybox', readFileSync('/bin/busybox'), 0o755);
  for (const name of ['sh', 'cat', 'insmod', 'mount', 'poweroff', 'stty']) tree.symlink(`/bin/${name}`, 'busybox');
  for (const module of modules) {
    const from = join(kernel.root, 'lib/modules', kernel.release, 'kernel', `${module}.ko.xz`);
    tree.file(`/modules/${module.split('/').at(-1)}.ko`, execFileSync('xz', ['-dc', from]));
  }
  tree.program(process.execPath, '/bin/node');
  tree.program('/usr/lib/x86_64-linux-gnu/libbpf.so.1', '/usr/lib/x86_64-linux-gnu/libbpf.so.1');
  for (const part of [
    'src',
    'bench',
    'package.json',
    'node_modules/koffi',
    'node_modules/@koromix',
    'node_modules/zod',
  ])
    tree.copy(join(checkout, part), `/vetch/${part}`);
  tree.file('/init', Buffer.from(init(command)), 0o755);
}

interface Result {
  readonly ends: string;
  readonly name: string;
  readonly protocol: string;
  readonly rounds: readonly number[];
}

mkdirSync(cache, { recursive: true });
const kernel = fetchKernel({ name: '6.12', package: 'linux-image-6.12-cloud-amd64' }, cache);
const [initramfs, report] = [join(cache, 'netkit.initramfs'), join(cache, 'netkit.report')];
try {
  writeInitramfs(initramfs, kernel, ['node --no-warnings bench/netkit/measure.ts', ...process.argv.slice(2)].join(' '));
  const text = await boot({
    image: kernel.image,
    initramfs,
    report,
    arguments: [],
    timeoutSeconds: 1800,
    countInstructions: true,
  });
  for (const { ends, name, protocol, rounds } of JSON.parse(text) as Result[]) {
    const [least, most] = range(rounds).map(Math.round);
    process.stdout.write(`${ends}, ${name}, ${protocol}: ${Math.round(median(rounds))} (${least} to ${most})\n`);
  }
} finally {
  rmSync(initramfs, { force: true });
}
