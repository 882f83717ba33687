import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiHost, until } from '../../test/api/api-host.ts';
import { cliCommand, runCli } from '../../test/api/cli.ts';
import { eventOf } from '../../test/api/memory-operations.ts';
import { errorView } from '../api/schemas/error.ts';
import { createProgram } from './program.ts';

let host: ApiHost;
beforeEach(async () => {
  host = await ApiHost.start();
});
afterEach(() => host[Symbol.asyncDispose]());

const vetch = (...args: string[]) => runCli(args, { socket: host.socketPath });

test.each([
  ['no command', [], 'vetch needs a command; see vetch --help'],
  ['a group without a command', ['network'], 'vetch network needs a command; see vetch network --help'],
  ['an unknown command', ['netwrok'], "unknown command 'netwrok' (Did you mean network?); see vetch --help"],
  ['an unknown flag', ['network', 'ls', '--all'], "unknown option '--all'; see vetch network ls --help"],
  ['a missing argument', ['network', 'inspect'], "missing required argument 'name'; see vetch network inspect --help"],
  [
    'an argument too many',
    ['status', 'now'],
    "too many arguments for 'status'. Expected 0 arguments but got 1: now; see vetch status --help",
  ],
  [
    'a missing flag',
    ['endpoint', 'attach', 'web'],
    'endpoint attach needs --netns, or --cgroup; see vetch endpoint attach --help',
  ],
  [
    'half of a trace',
    ['trace', '--from', 'a'],
    'trace needs --from, --to and --port, or --packet and --at; see vetch trace --help',
  ],
  [
    '--not without a filter',
    ['flows', '--not'],
    '--not has no filter after it; put the filter that it turns around after it',
  ],
  [
    'a change that is no label',
    ['endpoint', 'label', 'c1', 'x'],
    'label change "x" is neither K=V nor K-; see vetch endpoint label --help',
  ],
])('%s is wrong usage: exit status 2 and one line', async (_, args, line) => {
  expect(await vetch(...args)).toEqual({ status: 2, stdout: '', stderr: `vetch: INVALID: ${line}\n` });
});

test.each([
  ['--mtu', ['network', 'create', 'a', '--mtu', 'big']],
  ['--opt', ['network', 'create', 'a', '--opt', '=novalue']],
  ['--since', ['flows', '--since', 'yesterday']],
  ['--last', ['flows', '--last', '-3']],
  ['shell', ['completion', 'tcsh']],
])('a value of %s that cannot be meant is wrong usage', async (name, args) => {
  const { status, stdout, stderr } = await vetch(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^vetch: INVALID: .*\n$/);
  expect(stderr).toContain(name);
});

test('with --json a failure is JSON on stderr, wrong usage included, and stdout is empty', async () => {
  const missing = await vetch('network', 'inspect', 'none', '--json');
  expect([missing.status, missing.stdout]).toEqual([1, '']);
  expect(errorView.parse(JSON.parse(missing.stderr))).toEqual({
    error: { code: 'NOT_FOUND', message: 'there is no network none', hint: 'see vetch network ls' },
  });
  const usage = await vetch('--json', 'network', 'inspect');
  expect([usage.status, usage.stdout]).toEqual([2, '']);
  expect(errorView.parse(JSON.parse(usage.stderr)).error.code).toBe('INVALID');
});

test('a failure is one line with its code, what happened and what to do', async () => {
  expect(await vetch('network', 'create', 'a', '--subnet', '10.0.0.0/33')).toEqual({
    status: 1,
    stdout: '',
    stderr: 'vetch: INVALID: subnets[0] is "10.0.0.0/33"; it must be a prefix such as 10.88.0.0/16 or fd00:88::/64\n',
  });
});

test('no daemon is exit status 3, whether the socket is missing or nobody listens on it', async () => {
  const missing = await runCli(['status', '--socket', '/nowhere/vetch.sock']);
  expect([missing.status, missing.stdout]).toEqual([3, '']);
  expect(missing.stderr).toMatch(/^vetch: UNAVAILABLE: no daemon answers on \/nowhere\/vetch.sock; .*\n$/);
  await host.close();
  expect((await vetch('network', 'rm', 'a', 'b')).status).toBe(3);
});

test('a daemon that breaks off is exit status 3', async () => {
  await host.close();
  const rude = createServer((socket) => socket.once('data', () => socket.destroy())).listen(host.socketPath);
  const { status, stderr } = await vetch('status');
  expect([status, stderr]).toEqual([
    3,
    expect.stringMatching(/^vetch: UNAVAILABLE: the daemon on .* broke off: .*\n$/),
  ]);
  await new Promise((resolve) => rude.close(resolve));
});

test('a socket that may not be used says whose it is', async () => {
  if (process.getuid?.() === 0) {
    // Root may use any socket: only somebody else can be refused.
    chmodSync(host.directory, 0o755);
    const [program = '', ...before] = cliCommand;
    const child = spawn(program, [...before, 'status', '--socket', host.socketPath], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
    });
    let stderr = '';
    child.stderr.on('data', (piece) => {
      stderr += piece;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^vetch: UNAVAILABLE: no permission to use .*group vetch\n$/),
    ]);
  }
});

test('--socket wins over VETCH_SOCKET, before or after the command', async () => {
  for (const args of [
    ['--socket', host.socketPath, 'status'],
    ['status', '--socket', host.socketPath],
  ]) {
    expect((await runCli(args, { socket: '/nowhere' })).status).toBe(0);
  }
});

test('a reader that leaves early ends a follower quietly, and the daemon learns of it', async () => {
  host.operations.held = Array.from({ length: 20_000 }, (_, i) => eventOf(i % 65_535, 'FORWARDED'));
  const shell = spawn('sh', [
    '-c',
    '"$@" | head -n 2',
    'sh',
    ...cliCommand,
    'flows',
    '--follow',
    '--socket',
    host.socketPath,
  ]);
  let stdout = '';
  let stderr = '';
  shell.stdout.on('data', (piece) => {
    stdout += piece;
  });
  shell.stderr.on('data', (piece) => {
    stderr += piece;
  });
  await new Promise((resolve) => shell.once('close', resolve));
  expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  expect(stderr).toBe('');
  await until('the follower is gone', () => host.operations.followers === 0);
});

test('a long list reaches a slow reader whole', async () => {
  await host.operations.addDeny(Array.from({ length: 20_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`));
  const { stdout } = await vetch('deny', 'ls');
  expect(stdout.trimEnd().split('\n')).toHaveLength(20_001);
});

test('every command shows an example of itself in its help', () => {
  const program = createProgram();
  const commands = [program, ...program.commands, ...program.commands.flatMap((group) => group.commands)];
  expect(commands.length).toBeGreaterThan(30);
  for (const command of commands) {
    let help = '';
    command.configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    expect(help).toMatch(/\nExample:\n {2}\S/);
    expect(help).toContain('--json');
  }
});

test('help and the version go to stdout with exit status 0', async () => {
  const help = await vetch('network', 'create', '--help');
  expect([help.status, help.stderr]).toEqual([0, '']);
  expect(help.stdout).toContain('vetch network create web --subnet 10.88.0.0/16');
  expect(await vetch('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
