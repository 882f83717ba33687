/** What etcd has done since it started. */
export interface EtcdLoad {
  /** Transactions of the store, a single write among them. */
  readonly transactions: number;
  /** Keys written or deleted. */
  readonly writes: number;
  /** Events sent to watchers: each write to each of them. */
  readonly events: number;
  /** Writes of the log that were made to last. */
  readonly syncs: number;
  /** Calls of clients, watches apart. */
  readonly calls: number;
  readonly sentBytes: number;
  readonly cpuSeconds: number;
}

/** As it is now. */
export interface EtcdState {
  readonly load: EtcdLoad;
  readonly watchers: number;
  readonly slowWatchers: number;
  readonly memory: number;
}

/** @param endpoint `HOST:PORT` */
export async function etcdState(endpoint: string): Promise<EtcdState> {
  const text = await (await fetch(`http://${endpoint}/metrics`)).text();
  const sum = (name: string, filter: (labels: string) => boolean = () => true) => {
    const lines = [...text.matchAll(new RegExp(`^${name}(\\{.*\\})? (\\S+)$`, 'gm'))];
    return lines.filter(([, labels = '']) => filter(labels)).reduce((total, [, , value]) => total + Number(value), 0);
  };
  const isCall = (labels: string) => labels.includes('grpc_type="unary"') || labels.includes('LeaseKeepAlive');
  return {
    load: {
      transactions: sum('etcd_mvcc_txn_total'),
      writes: sum('etcd_mvcc_put_total') + sum('etcd_mvcc_delete_total'),
      events: sum('etcd_debugging_mvcc_events_total'),
      syncs: sum('etcd_disk_wal_fsync_duration_seconds_count'),
      calls: sum('grpc_server_handled_total', isCall),
      sentBytes: sum('etcd_network_client_grpc_sent_bytes_total'),
      cpuSeconds: sum('process_cpu_seconds_total'),
    },
    watchers: sum('etcd_debugging_mvcc_watcher_total'),
    slowWatchers: sum('etcd_debugging_mvcc_slow_watcher_total'),
    memory: sum('process_resident_memory_bytes'),
  };
}

/** @param times that so much is divided by */
export function loadBetween({ load: before }: EtcdState, { load: after }: EtcdState, times = 1): EtcdLoad {
  const names = Object.keys(after) as (keyof EtcdLoad)[];
  return Object.fromEntries(names.map((name) => [name, (after[name] - before[name]) / times])) as unknown as EtcdLoad;
}
