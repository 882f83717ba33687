import { closeSync } from 'node:fs';
import { AttachType, type CgroupAttachType } from './attach-type.ts';
import { check } from './check.ts';
import { BpfCommand, bpf } from './ffi/bpf.ts';
import { addressOf } from './ffi/memory.ts';
import { openCgroup } from './link/cgroup.ts';
import { type LinkInfo, linkInfo } from './link/link-info.ts';
import type { Direction } from './link/tcx.ts';
import { type MapInfo, mapInfo } from './map-info.ts';
import { type ProgramInfo, programInfo } from './program.ts';

const noEntry = -2;
const noSpace = -28;

/** Every program of the machine. One that goes while we look is left out. */
export function listPrograms(): ProgramInfo[] {
  return list(BpfCommand.PROG_GET_NEXT_ID, BpfCommand.PROG_GET_FD_BY_ID, programInfo);
}

/** Every map of the machine. */
export function listMaps(): MapInfo[] {
  return list(BpfCommand.MAP_GET_NEXT_ID, BpfCommand.MAP_GET_FD_BY_ID, mapInfo);
}

/** Every link of the machine, of all network namespaces. */
export function listLinks(): LinkInfo[] {
  return list(BpfCommand.LINK_GET_NEXT_ID, BpfCommand.LINK_GET_FD_BY_ID, linkInfo);
}

/** Opens a program, map or link by its id. The caller closes the descriptor. */
export function openById(kind: 'program' | 'map' | 'link', id: number): number {
  const command = {
    program: BpfCommand.PROG_GET_FD_BY_ID,
    map: BpfCommand.MAP_GET_FD_BY_ID,
    link: BpfCommand.LINK_GET_FD_BY_ID,
  }[kind];
  return check(bpf(command, 'id', { id }), `open a ${kind} by its id`, String(id));
}

/** What runs at a hook, in the order in which it runs. */
export interface QueriedProgram {
  readonly programId: number;
  /** 0: attached without a link; undefined: the kernel does not say. */
  readonly linkId?: number;
}

/**
 * The programs at a device's TCX hook (Linux 6.6), in the network namespace of the calling thread.
 *
 * @throws {KernelError} ENODEV when there is no such device; EINVAL on a kernel without TCX.
 */
export function queryTcx(ifindex: number, direction: Direction): QueriedProgram[] {
  const type = direction === 'ingress' ? AttachType.TCX_INGRESS : AttachType.TCX_EGRESS;
  return query(ifindex, type, `TCX ${direction} of the device with index ${ifindex}`, true);
}

/**
 * The programs attached to this cgroup itself, not those it inherits.
 *
 * @throws {KernelError} ENOENT when there is no such cgroup.
 */
export function queryCgroup(path: string, attachType: CgroupAttachType): QueriedProgram[] {
  const cgroup = openCgroup(path);
  try {
    return query(cgroup, AttachType[attachType], `${attachType} of ${path}`, false);
  } finally {
    closeSync(cgroup);
  }
}

function query(target: number, type: number, where: string, links: boolean): QueriedProgram[] {
  for (let room = 64; ; room *= 4) {
    const programs = new Uint32Array(room);
    const linkIds = new Uint32Array(room);
    const fields = {
      target,
      attach_type: type,
      prog_ids: addressOf(programs),
      count: room,
      ...(links && { link_ids: addressOf(linkIds) }),
    };
    const result = bpf(BpfCommand.PROG_QUERY, links ? 'query' : 'cgroupQuery', fields);
    if (result === noSpace) continue;
    check(result, 'query', where);
    return Array.from({ length: fields.count }, (_, index) => ({
      programId: programs[index] ?? 0,
      ...(links && { linkId: linkIds[index] ?? 0 }),
    }));
  }
}

function list<T>(next: number, open: number, describe: (fd: number) => T): T[] {
  const found: T[] = [];
  for (let id = 0; ; ) {
    const fields = { id, next_id: 0 };
    const result = bpf(next, 'id', fields);
    if (result === noEntry) return found;
    check(result, 'enumerate', `after id ${id}`);
    id = fields.next_id;
    const fd = bpf(open, 'id', { id });
    if (fd === noEntry) continue;
    check(fd, 'open by id', String(id));
    try {
      found.push(describe(fd));
    } finally {
      closeSync(fd);
    }
  }
}
