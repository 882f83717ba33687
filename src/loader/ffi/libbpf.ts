/**
 * libbpf.so.1, as far as we call it; Debian 12 has 1.1.2. Each declaration is the C prototype of bpf/libbpf.h or
 * bpf/bpf.h.
 *
 * What returns `int` returns 0 or more, or a negative errno. What returns a pointer returns NULL and sets errno.
 * Byte arguments are used in place, not copied: they must be as long as the kernel will read or write.
 */
import koffi from 'koffi';
import { library, type Pointer } from './library.ts';

const declare = library('libbpf.so.1', 'install the package libbpf1');

koffi.proto('int libbpf_print(int level, const char *format, void *arguments)');
koffi.struct('bpf_map_create_opts', {
  sz: 'size_t',
  btf_fd: 'uint32_t',
  btf_key_type_id: 'uint32_t',
  btf_value_type_id: 'uint32_t',
  btf_vmlinux_value_type_id: 'uint32_t',
  inner_map_fd: 'uint32_t',
  map_flags: 'uint32_t',
  map_extra: 'uint64_t',
  numa_node: 'uint32_t',
  map_ifindex: 'uint32_t',
});
koffi.struct('bpf_prog_load_opts', {
  sz: 'size_t',
  attempts: 'int',
  expected_attach_type: 'int',
});
koffi.struct('bpf_test_run_opts', {
  sz: 'size_t',
  data_in: 'uintptr_t',
  data_out: 'uintptr_t',
  data_size_in: 'uint32_t',
  data_size_out: 'uint32_t',
  ctx_in: 'uintptr_t',
  ctx_out: 'uintptr_t',
  ctx_size_in: 'uint32_t',
  ctx_size_out: 'uint32_t',
  retval: 'uint32_t',
  repeat: 'int',
  duration: 'uint32_t',
  flags: 'uint32_t',
  cpu: 'uint32_t',
  batch_size: 'uint32_t',
});

/** Fields that are left out are zero. Where libbpf writes, it writes into the object that was passed. */
export interface TestRunOpts {
  readonly sz: number;
  readonly data_in: bigint;
  readonly data_size_in: number;
  readonly data_out: bigint;
  data_size_out: number;
  readonly ctx_in: bigint;
  readonly ctx_size_in: number;
  readonly ctx_out: bigint;
  ctx_size_out: number;
  retval: number;
  readonly repeat: number;
  duration: number;
  readonly flags: number;
}

export interface MapCreateOpts {
  readonly sz: number;
  readonly inner_map_fd?: number;
  readonly map_flags?: number;
}

export const sizes = {
  get testRunOpts() {
    return koffi.sizeof('bpf_test_run_opts');
  },
  get mapCreateOpts() {
    return koffi.sizeof('bpf_map_create_opts');
  },
  get programLoadOpts() {
    return koffi.sizeof('bpf_prog_load_opts');
  },
};

// -- messages ------------------------------------------------------------------------------------

/** A null function silences libbpf. It keeps the pointer, so a function must have been registered. */
export const setPrint = declare<(print: Pointer) => Pointer>('libbpf_print *libbpf_set_print(libbpf_print *print)');

// -- objects -------------------------------------------------------------------------------------

export const objectOpenFile = declare<(path: string, options: null) => Pointer>(
  'void *bpf_object__open_file(const char *path, const void *opts)',
);
export const objectLoad = declare<(object: Pointer) => number>('int bpf_object__load(void *obj)');
export const objectLoadAsync = declare.async<(object: Pointer) => number>('int bpf_object__load(void *obj)');
export const objectClose = declare<(object: Pointer) => void>('void bpf_object__close(void *obj)');
export const objectNextProgram = declare<(object: Pointer, program: Pointer) => Pointer>(
  'void *bpf_object__next_program(const void *obj, void *prog)',
);
export const objectNextMap = declare<(object: Pointer, map: Pointer) => Pointer>(
  'void *bpf_object__next_map(const void *obj, const void *map)',
);

// -- programs of an object -----------------------------------------------------------------------

export const programName = declare<(program: Pointer) => string>('const char *bpf_program__name(const void *prog)');
export const programFd = declare<(program: Pointer) => number>('int bpf_program__fd(const void *prog)');
export const programAutoload = declare<(program: Pointer) => boolean>('bool bpf_program__autoload(const void *prog)');
export const programSetAutoload = declare<(program: Pointer, autoload: boolean) => number>(
  'int bpf_program__set_autoload(void *prog, bool autoload)',
);
/** libbpf keeps the pointer until the program is loaded. */
export const programSetLogBuf = declare<(program: Pointer, log: Uint8Array, size: number) => number>(
  'int bpf_program__set_log_buf(void *prog, void *log_buf, size_t log_size)',
);

// -- maps of an object ---------------------------------------------------------------------------

export const objectMapName = declare<(map: Pointer) => string>('const char *bpf_map__name(const void *map)');
export const objectMapFd = declare<(map: Pointer) => number>('int bpf_map__fd(const void *map)');
export const objectMapType = declare<(map: Pointer) => number>('int bpf_map__type(const void *map)');
export const objectMapKeySize = declare<(map: Pointer) => number>('uint32_t bpf_map__key_size(const void *map)');
export const objectMapValueSize = declare<(map: Pointer) => number>('uint32_t bpf_map__value_size(const void *map)');
export const objectMapFlags = declare<(map: Pointer) => number>('uint32_t bpf_map__map_flags(const void *map)');
export const objectMapMaxEntries = declare<(map: Pointer) => number>('uint32_t bpf_map__max_entries(const void *map)');
export const objectMapSetMaxEntries = declare<(map: Pointer, entries: number) => number>(
  'int bpf_map__set_max_entries(void *map, uint32_t max_entries)',
);
/** True for `.rodata`, `.data`, `.bss` and `.kconfig`. */
export const objectMapIsInternal = declare<(map: Pointer) => boolean>('bool bpf_map__is_internal(const void *map)');
export const objectMapSetPinPath = declare<(map: Pointer, path: string) => number>(
  'int bpf_map__set_pin_path(void *map, const char *path)',
);
/** The memory that the map will be filled from: what is written there before the load is what the programs see. */
export const objectMapInitialValue = declare<(map: Pointer, size: BigUint64Array) => Pointer>(
  'void *bpf_map__initial_value(void *map, _Out_ void *psize)',
);

// -- maps by descriptor --------------------------------------------------------------------------

export const mapCreate = declare<
  (type: number, name: string, keySize: number, valueSize: number, maxEntries: number, opts: MapCreateOpts) => number
>(
  'int bpf_map_create(int map_type, const char *map_name, uint32_t key_size, uint32_t value_size, uint32_t max_entries, const bpf_map_create_opts *opts)',
);
export const mapLookupElem = declare<(fd: number, key: Uint8Array, value: Uint8Array) => number>(
  'int bpf_map_lookup_elem(int fd, const void *key, void *value)',
);
export const mapUpdateElem = declare<(fd: number, key: Uint8Array, value: Uint8Array, flags: number) => number>(
  'int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)',
);
export const mapDeleteElem = declare<(fd: number, key: Uint8Array) => number>(
  'int bpf_map_delete_elem(int fd, const void *key)',
);
export const mapGetNextKey = declare<(fd: number, key: Uint8Array | null, next: Uint8Array) => number>(
  'int bpf_map_get_next_key(int fd, const void *key, void *next_key)',
);
export const mapFreeze = declare<(fd: number) => number>('int bpf_map_freeze(int fd)');

type Count = Uint32Array;

export const mapLookupBatch = declare<
  (
    fd: number,
    from: Uint8Array | null,
    to: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Count,
    opts: null,
  ) => number
>(
  'int bpf_map_lookup_batch(int fd, void *in_batch, void *out_batch, void *keys, void *values, void *count, const void *opts)',
);
export const mapUpdateBatch = declare<
  (fd: number, keys: Uint8Array, values: Uint8Array, count: Count, opts: null) => number
>('int bpf_map_update_batch(int fd, const void *keys, const void *values, void *count, const void *opts)');
export const mapDeleteBatch = declare<(fd: number, keys: Uint8Array, count: Count, opts: null) => number>(
  'int bpf_map_delete_batch(int fd, const void *keys, void *count, const void *opts)',
);

// -- the rest ------------------------------------------------------------------------------------

export const testRun = declare<(fd: number, opts: TestRunOpts) => number>(
  'int bpf_prog_test_run_opts(int prog_fd, _Inout_ bpf_test_run_opts *opts)',
);
/** The struct is cut after the last field we set, as `sz` says. */
export const programLoad = declare<
  (
    type: number,
    name: string,
    licence: string,
    instructions: Uint8Array,
    count: number,
    opts: { readonly sz: number; readonly expected_attach_type: number } | null,
  ) => number
>(
  'int bpf_prog_load(int prog_type, const char *prog_name, const char *license, const void *insns, size_t insn_cnt, const bpf_prog_load_opts *opts)',
);
/** 1: the kernel has it, 0: it has not, negative: the probe itself failed. */
export const probeProgType = declare<(type: number, opts: null) => number>(
  'int libbpf_probe_bpf_prog_type(int prog_type, const void *opts)',
);
export const probeMapType = declare<(type: number, opts: null) => number>(
  'int libbpf_probe_bpf_map_type(int map_type, const void *opts)',
);
export const probeHelper = declare<(type: number, helper: number, opts: null) => number>(
  'int libbpf_probe_bpf_helper(int prog_type, int helper_id, const void *opts)',
);
/** CPUs that the kernel may ever have: how many values a per-CPU map returns. */
export const numPossibleCpus = declare<() => number>('int libbpf_num_possible_cpus(void)');
