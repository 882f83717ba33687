/**
 * The bpf(2) system call itself, for what libbpf 1.1 has no arguments for: TCX's anchors and revision, link updates'
 * results, queries by interface. The structs are those of linux/bpf.h; the compiler's layout rules are koffi's.
 */
import koffi from 'koffi';
import { library } from './library.ts';

const declare = library('libc.so.6', 'a glibc system is needed');

const syscallNumber = process.arch === 'arm64' ? 280 : 321;
const syscall = declare<(number: number, command: number, attributes: unknown, size: number) => number | bigint>(
  'long syscall(long number, int cmd, _Inout_ void *attr, unsigned int size)',
);

/** `enum bpf_cmd` */
export const BpfCommand = {
  OBJ_PIN: 6,
  OBJ_GET: 7,
  PROG_ATTACH: 8,
  PROG_GET_NEXT_ID: 11,
  MAP_GET_NEXT_ID: 12,
  PROG_GET_FD_BY_ID: 13,
  MAP_GET_FD_BY_ID: 14,
  OBJ_GET_INFO_BY_FD: 15,
  PROG_QUERY: 16,
  LINK_CREATE: 28,
  LINK_UPDATE: 29,
  LINK_GET_FD_BY_ID: 30,
  LINK_GET_NEXT_ID: 31,
  LINK_DETACH: 34,
} as const;

const objectName = koffi.array('char', 16, 'String');

/** The member of `union bpf_attr` that each command takes. */
const attributes = {
  path: koffi.struct('bpf_attr_path', { pathname: 'uintptr_t', bpf_fd: 'uint32_t', file_flags: 'uint32_t' }),
  id: koffi.struct('bpf_attr_id', { id: 'uint32_t', next_id: 'uint32_t', open_flags: 'uint32_t' }),
  info: koffi.struct('bpf_attr_info', { bpf_fd: 'uint32_t', info_len: 'uint32_t', info: 'uintptr_t' }),
  query: koffi.struct('bpf_attr_query', {
    target: 'uint32_t',
    attach_type: 'uint32_t',
    query_flags: 'uint32_t',
    attach_flags: 'uint32_t',
    prog_ids: 'uintptr_t',
    count: 'uint32_t',
    reserved: 'uint32_t',
    prog_attach_flags: 'uintptr_t',
    link_ids: 'uintptr_t',
    link_attach_flags: 'uintptr_t',
    revision: 'uint64_t',
  }),
  /** Before TCX: newer kernels take it too, older ones refuse what is longer and not zero. */
  cgroupQuery: koffi.struct('bpf_attr_cgroup_query', {
    target: 'uint32_t',
    attach_type: 'uint32_t',
    query_flags: 'uint32_t',
    attach_flags: 'uint32_t',
    prog_ids: 'uintptr_t',
    count: 'uint32_t',
  }),
  linkCreate: koffi.struct('bpf_attr_link_create', {
    prog_fd: 'uint32_t',
    target: 'uint32_t',
    attach_type: 'uint32_t',
    flags: 'uint32_t',
    relative: 'uint32_t',
    reserved: 'uint32_t',
    expected_revision: 'uint64_t',
  }),
  linkUpdate: koffi.struct('bpf_attr_link_update', {
    link_fd: 'uint32_t',
    new_prog_fd: 'uint32_t',
    flags: 'uint32_t',
    old_prog_fd: 'uint32_t',
  }),
  progAttach: koffi.struct('bpf_attr_prog_attach', {
    target_fd: 'uint32_t',
    attach_bpf_fd: 'uint32_t',
    attach_type: 'uint32_t',
    attach_flags: 'uint32_t',
  }),
  linkDetach: koffi.struct('bpf_attr_link_detach', { link_fd: 'uint32_t' }),
};

/** What `OBJ_GET_INFO_BY_FD` fills, up to the last field that we read. */
const infos = {
  program: koffi.struct('bpf_prog_info', {
    type: 'uint32_t',
    id: 'uint32_t',
    tag: koffi.array('uint8_t', 8),
    jited_prog_len: 'uint32_t',
    xlated_prog_len: 'uint32_t',
    jited_prog_insns: 'uintptr_t',
    xlated_prog_insns: 'uintptr_t',
    load_time: 'uint64_t',
    created_by_uid: 'uint32_t',
    nr_map_ids: 'uint32_t',
    map_ids: 'uintptr_t',
    name: objectName,
    ifindex: 'uint32_t',
    gpl_compatible: 'uint32_t',
    netns_dev: 'uint64_t',
    netns_ino: 'uint64_t',
    nr_jited_ksyms: 'uint32_t',
    nr_jited_func_lens: 'uint32_t',
    jited_ksyms: 'uintptr_t',
    jited_func_lens: 'uintptr_t',
    btf_id: 'uint32_t',
    func_info_rec_size: 'uint32_t',
    func_info: 'uintptr_t',
    nr_func_info: 'uint32_t',
    nr_line_info: 'uint32_t',
    line_info: 'uintptr_t',
    jited_line_info: 'uintptr_t',
    nr_jited_line_info: 'uint32_t',
    line_info_rec_size: 'uint32_t',
    jited_line_info_rec_size: 'uint32_t',
    nr_prog_tags: 'uint32_t',
    prog_tags: 'uintptr_t',
    run_time_ns: 'uint64_t',
    run_cnt: 'uint64_t',
    recursion_misses: 'uint64_t',
    verified_insns: 'uint32_t',
    reserved: 'uint32_t',
  }),
  map: koffi.struct('bpf_map_info', {
    type: 'uint32_t',
    id: 'uint32_t',
    key_size: 'uint32_t',
    value_size: 'uint32_t',
    max_entries: 'uint32_t',
    map_flags: 'uint32_t',
    name: objectName,
    ifindex: 'uint32_t',
    btf_vmlinux_value_type_id: 'uint32_t',
    netns_dev: 'uint64_t',
    netns_ino: 'uint64_t',
    btf_id: 'uint32_t',
    btf_key_type_id: 'uint32_t',
    btf_value_type_id: 'uint32_t',
    reserved: 'uint32_t',
    map_extra: 'uint64_t',
  }),
  link: koffi.struct('bpf_link_info', {
    type: 'uint32_t',
    id: 'uint32_t',
    prog_id: 'uint32_t',
    reserved: 'uint32_t',
    kind: koffi.union('bpf_link_info_kind', {
      cgroup: koffi.struct({ cgroup_id: 'uint64_t', attach_type: 'uint32_t' }),
      netns: koffi.struct({ netns_ino: 'uint32_t', attach_type: 'uint32_t' }),
      xdp: koffi.struct({ ifindex: 'uint32_t' }),
      tcx: koffi.struct({ ifindex: 'uint32_t', attach_type: 'uint32_t' }),
      /** Room for the kinds that we do not read: a shorter buffer would be cut. */
      other: koffi.array('uint64_t', 4),
    }),
  }),
};

export type Attributes = keyof typeof attributes;
export type InfoKind = keyof typeof infos;
export type Fields = Record<string, number | bigint>;

/**
 * Calls bpf(2). Fields that are left out are zero; what the kernel changes is in `fields` afterwards.
 *
 * @returns what the kernel returns, 0 or more, or a negative errno.
 */
export function bpf(command: number, kind: Attributes, fields: Fields): number {
  const type = attributes[kind];
  const result = Number(syscall(syscallNumber, command, koffi.as(fields, koffi.pointer(type)), type.size));
  return result < 0 ? -koffi.errno() : result;
}

/** The kernel's description of a map, program or link; a negative errno instead where there is none. */
export function objectInfo(kind: InfoKind, fd: number): Record<string, unknown> | number {
  const type = infos[kind];
  const bytes = Buffer.alloc(type.size);
  const result = bpf(BpfCommand.OBJ_GET_INFO_BY_FD, 'info', {
    bpf_fd: fd,
    info_len: bytes.length,
    info: koffi.address(bytes),
  });
  return result < 0 ? result : (koffi.decode(bytes, type) as Record<string, unknown>);
}
