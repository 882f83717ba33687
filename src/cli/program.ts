import { Command } from 'commander';
import { version } from '../api/version.ts';
import { defaultSocket, group } from './command.ts';
import { completion } from './completion/completion.ts';
import { conntrackFlush } from './conntrack/flush.ts';
import { conntrackLs } from './conntrack/ls.ts';
import { daemon } from './daemon.ts';
import { denyAdd } from './deny/add.ts';
import { denyLoad } from './deny/load.ts';
import { denyLs } from './deny/ls.ts';
import { denyRm } from './deny/rm.ts';
import { dockerInstall } from './docker/install.ts';
import { dockerUninstall } from './docker/uninstall.ts';
import { doctor } from './doctor.ts';
import { endpointAttach } from './endpoint/attach.ts';
import { endpointDetach } from './endpoint/detach.ts';
import { endpointInspect } from './endpoint/inspect.ts';
import { endpointLabel } from './endpoint/label.ts';
import { endpointLs } from './endpoint/ls.ts';
import { flows } from './flows.ts';
import { identityLs } from './identity/ls.ts';
import { mapsDump } from './maps/dump.ts';
import { mapsLs } from './maps/ls.ts';
import { namespaceLabel } from './namespace/label.ts';
import { networkCreate } from './network/create.ts';
import { networkInspect } from './network/inspect.ts';
import { networkLs } from './network/ls.ts';
import { networkRm } from './network/rm.ts';
import { nodeForget } from './node/forget.ts';
import { nodeLs } from './node/ls.ts';
import { nodeRotateKey } from './node/rotate-key.ts';
import { policyApply } from './policy/apply.ts';
import { policyDelete } from './policy/delete.ts';
import { policyExplain } from './policy/explain.ts';
import { policyGet } from './policy/get.ts';
import { policyLs } from './policy/ls.ts';
import { policyNames } from './policy/names.ts';
import { portLs } from './port/ls.ts';
import { portPublish } from './port/publish.ts';
import { portUnpublish } from './port/unpublish.ts';
import { resolverRun } from './resolver/run.ts';
import { resolverStatus } from './resolver/status.ts';
import { serviceCreate } from './service/create.ts';
import { serviceLs } from './service/ls.ts';
import { serviceRm } from './service/rm.ts';
import { status } from './status.ts';
import { trace } from './trace.ts';

/** The whole command line. Wrong usage is thrown as a `CommanderError`; nothing is written for it. */
export function createProgram(): Command {
  const program = new Command('vetch')
    .description('An eBPF datapath manager for containers')
    .version(version, '--version')
    .option('--socket <path>', `the daemon's socket (default: ${defaultSocket}, or VETCH_SOCKET)`)
    .option('--json', 'print JSON, errors included')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', '\nExample:\n  vetch network create web --subnet 10.88.0.0/16');
  const commands = [
    daemon(),
    group('network', 'Networks', [networkCreate(), networkLs(), networkInspect(), networkRm()]),
    group('endpoint', "Endpoints: containers' attachments to networks", [
      endpointAttach(),
      endpointLs(),
      endpointInspect(),
      endpointLabel(),
      endpointDetach(),
    ]),
    group('port', 'Published ports', [portLs(), portPublish(), portUnpublish()]),
    group('service', 'Services: one address in front of many endpoints', [serviceCreate(), serviceLs(), serviceRm()]),
    group('policy', 'Who may talk to whom: NetworkPolicy and ClusterNetworkPolicy documents', [
      policyApply(),
      policyLs(),
      policyGet(),
      policyDelete(),
      policyExplain(),
      policyNames(),
    ]),
    group('namespace', "Policy's namespaces", [namespaceLabel()]),
    group('deny', 'The deny list: sources dropped before anything else sees them', [
      denyAdd(),
      denyRm(),
      denyLoad(),
      denyLs(),
    ]),
    group('conntrack', 'Flows that the datapath remembers', [conntrackLs(), conntrackFlush()]),
    group('maps', 'The BPF maps', [mapsLs(), mapsDump()]),
    flows(),
    trace(),
    status(),
    doctor(),
    group('resolver', 'Names for containers that no engine manages', [resolverRun(), resolverStatus()]),
    group('docker', 'The Docker engine on this host', [dockerInstall(), dockerUninstall()]),
    group('node', 'Hosts of the cluster', [nodeLs(), nodeForget(), nodeRotateKey()]),
    group('identity', 'Policy identities', [identityLs()]),
    completion(),
  ];
  for (const one of commands) program.addCommand(one);
  for (const one of [program, ...program.commands, ...program.commands.flatMap((parent) => parent.commands)])
    prepare(one);
  return program;
}

/** What `addCommand` does not hand down. */
function prepare(command: Command): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .helpCommand(false);
}
