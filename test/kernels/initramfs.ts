import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CpioWriter } from './cpio.ts';
import type { KernelFiles } from './kernel-package.ts';
import { RootTree } from './root-tree.ts';

/** Real programs of this machine that the labs use, beside busybox's. */
const programs = [
  'bash', 'bpftool', 'curl', 'ip', 'tc', 'ss', 'mount', 'umount', 'nsenter', 'ethtool', 'unshare', 'kmod', 'ping', 'iperf3', 'tcpdump', 'setpriv', 'timeout', 'sleep', 'etcd', 'etcdctl',
]; // biome-ignore format: one list

/** Parts of the kernel's modules that a test may make it load. */
const modules = ['net', 'lib', 'crypto', 'arch', 'drivers/net'];

/** What of node_modules no test needs. */
const unneeded = /\/node_modules\/(@biomejs|@typescript|typescript|@types)$|\/\.vite$/;

/**
 * Writes an initramfs that is a whole small machine: this checkout at /vetch, its Node, the kernel's network modules
 * and the programs that the labs run.
 */
export function writeInitramfs(path: string, kernel: KernelFiles, checkout: string): void {
  using archive = new CpioWriter(path);
  const tree = new RootTree(archive);
  for (const directory of [
    '/dev',
    '/proc',
    '/sys',
    '/run',
    '/tmp',
    '/root',
    '/var',
    '/usr/bin',
    '/usr/sbin',
    '/usr/lib',
  ]) {
    tree.directory(directory);
  }
  for (const name of ['bin', 'sbin', 'lib']) tree.symlink(`/${name}`, `usr/${name}`);
  tree.directory('/usr/lib64');
  tree.symlink('/lib64', 'usr/lib64');
  tree.symlink('/var/run', '/run');

  for (const name of programs) addProgram(tree, name);
  for (const name of ['modprobe', 'lsmod', 'insmod']) tree.symlink(`/usr/sbin/${name}`, '/usr/bin/kmod');
  addBusybox(tree);
  addPython(tree);
  addModules(tree, kernel);
  addCheckout(tree, checkout);

  tree.file(
    '/etc/passwd',
    Buffer.from('root:x:0:0:root:/root:/bin/sh\ntcpdump:x:100:100::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n'),
  );
  tree.file('/etc/group', Buffer.from('root:x:0:\ntcpdump:x:100:\nvetch:x:990:\nnogroup:x:65534:\n'));
  tree.file('/etc/hosts', Buffer.from('127.0.0.1 localhost\n::1 localhost\n'));
  tree.file('/init', readFileSync(new URL('./init.sh', import.meta.url)), 0o755);
}

function addProgram(tree: RootTree, name: string): void {
  const found = execFileSync(
    '/bin/sh',
    ['-c', `PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin command -v ${name}`],
    {
      encoding: 'utf8',
    },
  );
  tree.program(found.trim(), `/usr/bin/${name}`);
}

function addBusybox(tree: RootTree): void {
  // Busybox's own shell would prefer its applets to the real programs
  tree.symlink('/usr/bin/sh', 'bash');
  const applets = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  tree.file('/usr/bin/busybox', readFileSync('/bin/busybox'), 0o755);
  for (const name of applets) tree.symlink(`/usr/bin/${name}`, 'busybox');
}

function addPython(tree: RootTree): void {
  const library = readdirSync('/usr/lib').find((name) => /^python3\.\d+$/.test(name));
  if (!library) throw new Error('python3 is not installed under /usr/lib');
  tree.program(`/usr/bin/${library}`, '/usr/bin/python3');
  const skip =
    /\/(__pycache__|test|idlelib|lib2to3|pydoc_data|ensurepip|tkinter|distutils|config-[^/]+|dist-packages)$/;
  tree.copy(`/usr/lib/${library}`, `/usr/lib/${library}`, (path) => skip.test(path));
}

function addModules(tree: RootTree, kernel: KernelFiles): void {
  const from = join(kernel.root, 'lib/modules', kernel.release);
  const to = `/usr/lib/modules/${kernel.release}`;
  for (const name of readdirSync(from).filter((file) => file.startsWith('modules.')))
    tree.copy(join(from, name), join(to, name));
  for (const part of modules) tree.copy(join(from, 'kernel', part), join(to, 'kernel', part));
}

function addCheckout(tree: RootTree, checkout: string): void {
  tree.program(process.execPath, '/usr/bin/node');
  tree.file('/usr/lib/x86_64-linux-gnu/libbpf.so.1', readFileSync('/usr/lib/x86_64-linux-gnu/libbpf.so.1'), 0o755);
  tree.libraries('/usr/lib/x86_64-linux-gnu/libbpf.so.1');
  const parts = [
    'bin',
    'bpf',
    'dist',
    'src',
    'test',
    'scripts',
    'proto',
    'node_modules',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ];
  const musl = /[-.]musl\b/;
  for (const part of parts) {
    tree.copy(join(checkout, part), `/vetch/${part}`, (path) => {
      if (path.endsWith('.node') && !musl.test(path)) tree.libraries(path);
      return unneeded.test(path) || musl.test(path);
    });
  }
}
