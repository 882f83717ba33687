import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A file that makes an engine and us find each other at boot. */
export interface IntegrationFile {
  /** Absolute, on the machine that it is for. */
  readonly path: string;
  readonly text: string;
}

const socket = '/run/docker/plugins/vetch.sock';

/** Where packages, and `make install`, put units. */
const unitDirectories = ['/etc/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system'];

/**
 * What `docker install` writes: an engine starts when our plugin answers, since it waits 15 s a network for one that does
 * not; and it finds the plugin's socket. The daemon's own unit only where there is none.
 *
 * @param vetch path of the program that the unit starts
 */
export function integrationFiles(root: string, vetch: string): IntegrationFile[] {
  const files = [
    {
      path: '/etc/systemd/system/docker.service.d/10-vetch.conf',
      text: '# Networks of driver vetch need their driver when the engine starts\n[Unit]\nWants=vetch.service\nAfter=vetch.service\n',
    },
    { path: '/etc/docker/plugins/vetch.spec', text: `unix://${socket}\n` },
  ];
  const isThere = unitDirectories.some((directory) => existsSync(join(root, directory, 'vetch.service')));
  return isThere ? files : [...files, { path: ownUnit, text: unit(vetch) }];
}

/** The daemon's unit, where we wrote it. */
export const ownUnit = '/etc/systemd/system/vetch.service';
/** Tells a unit that `docker install` wrote from one that somebody else did. */
export const ownUnitMark = '# Written by vetch docker install';

function unit(vetch: string): string {
  return `${ownUnitMark}
[Unit]
Description=Vetch, an eBPF datapath manager for containers
Before=docker.service
After=network.target systemd-sysctl.service

[Service]
Type=notify
ExecStart=${vetch} daemon
Restart=always
RestartSec=1
KillMode=mixed
TimeoutStopSec=30
RuntimeDirectory=vetch
RuntimeDirectoryMode=0755
StateDirectory=vetch
StateDirectoryMode=0700
LimitMEMLOCK=infinity
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`;
}
