/**
 * The main job before the reader's eyes, with real programs, in namespaces of its own: a host with our daemon, two
 * containers on a network, one on another, a client outside. Leaves nothing behind. Exit status 1 when anything is
 * not as promised.
 */
import { Lab } from '../test/lab/lab.ts';
import type { Machine } from '../test/lab/machine.ts';
import { serve } from '../test/lab/talk.ts';

const bold = process.stdout.isTTY ? ['\x1b[1m', '\x1b[0m'] : ['', ''];
const failures: string[] = [];
/** Lines of a command's output. */
const shown = 42;

function say(text: string): void {
  process.stdout.write(`\n${bold[0]}${text}${bold[1]}\n`);
}

/** Runs a command, shows it with what it says, and notes when that is not what it has to be. */
async function show(machine: Machine, expected: RegExp | 'refused', ...command: string[]): Promise<string> {
  process.stdout.write(
    `${machine.name}# ${command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' ')}\n`,
  );
  const { status, stdout, stderr } = await machine.exec(...command);
  const output = `${stdout}${stderr}`.trimEnd();
  const lines = output.split('\n');
  process.stdout.write(
    `${lines.slice(0, shown).join('\n')}\n${lines.length > shown ? `… ${lines.length - shown} more lines\n` : ''}`,
  );
  const fine = expected === 'refused' ? status !== 0 : status === 0 && expected.test(output);
  if (!fine) {
    failures.push(command.join(' '));
    process.stdout.write(`^^^ expected ${expected}, exit status was ${status}\n`);
  }
  return output;
}

async function demo(): Promise<void> {
  say('A host with our daemon, its own uplink and its own network; a client outside');
  await using lab = await Lab.create();
  const [host, outside] = [lab.host('h1'), lab.client('outside')];
  process.env.VETCH_SOCKET = host.socket;
  process.env.PATH = `${new URL('../bin', import.meta.url).pathname}:${process.env.PATH}`;
  const vetch = (...words: string[]) => show(host, /(?:)/, 'vetch', ...words);
  const curl = (machine: Machine, expected: RegExp | 'refused', url: string) =>
    show(machine, expected, 'curl', '-sS', '--max-time', '2', url);

  say('A network, and two containers on it: the first publishes port 8080');
  await vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--ipv6');
  const [shop, till, spy] = await Promise.all(['shop', 'till', 'spy'].map((name) => host.container(name)));
  if (!shop || !till || !spy) throw new Error('there are three containers');
  await vetch('endpoint', 'attach', 'web', '--netns', shop.netns, '--name', 'shop', '--publish', '8080:80');
  await vetch('endpoint', 'attach', 'web', '--netns', till.netns, '--name', 'till');
  await serve(shop, 'tcp', 80);
  await show(till, /1 received/, 'ping', '-n', '-c', '1', '10.88.0.2');

  say('The published port answers from outside, and the container sees who asks');
  await curl(outside, new RegExp(`peer=${outside.address4}`), `http://${host.address4}:8080/`);
  await curl(outside, new RegExp(`peer=${outside.address6}`), `http://[${host.address6}]:8080/`);
  say("… from the host by localhost, with no proxy in between, and from a container by the host's own address");
  await curl(host, /shop/, 'http://127.0.0.1:8080/');
  await curl(till, /shop/, `http://${host.address4}:8080/`);

  say('An unpublished port stays closed, also when somebody outside routes to the container');
  await outside.ip(`route add 10.88.0.0/16 via ${host.address4}`);
  await curl(outside, 'refused', 'http://10.88.0.2:80/');
  say('Another network reaches only what is published');
  await vetch('network', 'create', 'other', '--subnet', '10.89.0.0/16');
  await vetch('endpoint', 'attach', 'other', '--netns', spy.netns, '--name', 'spy');
  await curl(spy, 'refused', 'http://10.88.0.2:80/');
  await curl(spy, /shop/, `http://${host.address4}:8080/`);

  say('A deny drops a source before the stack sees it, and opens again');
  await vetch('deny', 'add', `${outside.address4}/32`);
  await curl(outside, 'refused', `http://${host.address4}:8080/`);
  await vetch('deny', 'ls');
  await vetch('deny', 'rm', `${outside.address4}/32`);
  await curl(outside, /shop/, `http://${host.address4}:8080/`);

  say('Every drop has a reason');
  const reasons = ['NOT_PUBLISHED', 'ISOLATED', 'DENY_LIST'].flatMap((reason) => ['--reason', reason]);
  await show(host, /NOT_PUBLISHED/, 'vetch', 'flows', '--last', '8', ...reasons);
  await show(host, /ISOLATED/, 'vetch', 'status');
  await show(host, /ISOLATED/, 'vetch', 'trace', '--from', 'spy', '--to', 'shop', '--port', '80/tcp');

  say('The daemon is killed: everything goes on');
  await host.stopDaemon('SIGKILL');
  await curl(outside, /shop/, `http://${host.address4}:8080/`);
  await curl(host, /shop/, 'http://127.0.0.1:8080/');
  await host.start();

  say('All of it can be read with bpftool');
  const maps = `${host.bpffs}/v1/maps`;
  await show(host, /"ifindex"/, 'bpftool', 'map', 'dump', 'pinned', `${maps}/endpoints`);
  await show(host, /from_endpoint/, 'bpftool', 'net');
  await show(host, /from_uplink/, 'bpftool', 'prog', 'show', 'pinned', `${host.bpffs}/v1/progs/from_uplink`);
  await vetch('maps', 'ls');

  say('And it goes without a trace');
  await host.stopDaemon();
  process.stdout.write(await host.uninstall());
}

await demo();
if (failures.length > 0) {
  process.stdout.write(`\nnot as promised:\n${failures.map((failure) => `  ${failure}\n`).join('')}`);
  process.exitCode = 1;
}
