import { setImmediate } from 'node:timers/promises';
import { VetchError } from '../api/error.ts';
import type { MapDump } from '../api/operations.ts';
import type { ConntrackFilter, ConntrackView } from '../api/schemas/conntrack.ts';
import type { FlowQuery } from '../api/schemas/flow.ts';
import type { MapView } from '../api/schemas/map.ts';
import type { DoctorCheck, StatusView } from '../api/schemas/status.ts';
import type { TraceRequest, TraceView } from '../api/schemas/trace.ts';
import type { PinTree } from '../loader/pin.ts';
import type { Config } from '../maps/generated/abi.ts';
import type { Maps } from '../maps/open.ts';
import type { RingBuffer } from '../maps/ring-buffer.ts';
import type { Collector } from './conntrack/collector.ts';
import { listConntrack } from './conntrack/list.ts';
import { counterTotals, dropTotals } from './counts.ts';
import { examine } from './doctor/doctor.ts';
import type { UplinkDevice } from './doctor/foreign-programs.ts';
import type { FlowDirectory } from './flows/directory.ts';
import { type FlowLine, FlowLog } from './flows/flow-log.ts';
import { FlowReader } from './flows/flow-reader.ts';
import { type OpenMap, openMapsOf } from './maps/open-map.ts';
import { bpftoolDump, dumpEntries, mapView } from './maps/views.ts';
import { exposition } from './metrics/exposition.ts';
import { metricFamilies } from './metrics/families.ts';
import { ProcessMeter } from './metrics/process.ts';
import type { RefNames } from './peers.ts';
import { type Moment, WarningWindow } from './status/warning-window.ts';
import { statusDrops, statusWarnings } from './status/warnings.ts';
import { placePacket } from './trace/place-packet.ts';
import { planTrace, type TraceEnd, type TraceSite } from './trace/plan.ts';
import { Tracer } from './trace/tracer.ts';

/** Entries of `conntrack` that are counted for each answer. */
const countedBelow = 16_384;

/** What is known elsewhere of this host: asked anew for each answer. */
export interface ObservedHost {
  readonly directory: FlowDirectory;
  readonly names: RefNames;
  counts(): {
    readonly networks: number;
    readonly endpoints: number;
    readonly ports: number;
    readonly policies: number;
    readonly drift: number;
  };
  /** Entries of maps that the control plane has written, by the map's name: they need no counting. */
  knownEntries(): ReadonlyMap<string, number>;
  /** @throws {VetchError} NOT_FOUND, INVALID */
  traceEnd(ref: string): TraceEnd;
  traceSite(): TraceSite;
  /** Name of a device; its index where it has gone. */
  deviceName(ifindex: number): string;
  uplinks(): readonly UplinkDevice[];
}

export interface ObserverOptions {
  readonly maps: Maps;
  readonly pins: PinTree;
  /** Where the compiled objects lie. */
  readonly objectDirectory: string;
  /** Capacities of maps that were made with others than their defaults. */
  readonly mapSizes?: Readonly<Record<string, number>>;
  readonly node: string;
  readonly version: string;
  readonly host: ObservedHost;
  readonly collector: Collector;
}

/** Everything that is seen of the datapath: flows, conntrack, maps, metrics, traces, warnings, health. */
export class Observer implements Disposable {
  readonly #options: ObserverOptions;
  readonly #maps: Maps;
  readonly #open: readonly OpenMap[];
  readonly #ring: RingBuffer;
  readonly #log: FlowLog;
  readonly #reader: FlowReader;
  readonly #tracer: Tracer;
  readonly #window: WarningWindow;
  readonly #meter = new ProcessMeter();

  /** Reads the ring buffer from now on: nobody else may. Maps, collector and host stay the caller's. */
  constructor(options: ObserverOptions) {
    const { maps, pins, host, node, objectDirectory, mapSizes } = options;
    this.#options = options;
    this.#maps = maps;
    this.#open = openMapsOf(maps, pins.maps);
    this.#ring = maps.flowEvents.open();
    this.#log = new FlowLog({ directory: host.directory, names: host.names, node });
    this.#reader = new FlowReader({ ring: this.#ring, log: this.#log });
    this.#window = new WarningWindow(() => this.#counted());
    this.#tracer = new Tracer({
      objectDirectory,
      mapPins: pins.maps,
      steps: maps.traceSteps,
      names: {
        deviceName: (ifindex) => host.deviceName(ifindex),
        decidedBy: (decision) => host.directory.decidedBy(decision),
      },
      ...(mapSizes && { maxEntries: mapSizes }),
    });
  }

  flows(query: FlowQuery, signal: AbortSignal): AsyncIterable<FlowLine> {
    return this.#log.query(query, signal);
  }

  listConntrack(filter: ConntrackFilter): AsyncIterable<ConntrackView> {
    const { raw } = this.#maps.conntrack;
    const { directory, names } = this.#options.host;
    return listConntrack({
      source: {
        rawEntries: () => raw.entries(),
        rawGet: (key) => {
          const value = new Uint8Array(raw.valueSize);
          return raw.lookup(key, value) ? value : undefined;
        },
      },
      filter,
      names,
      timeouts: this.#config(),
      now: Number(process.hrtime.bigint()) / 1e9,
      networkName: (network) => directory.networkName(network),
    });
  }

  flushConntrack(filter: ConntrackFilter): Promise<{ flushed: number }> {
    return this.#options.collector.flush(filter, this.#options.host.names);
  }

  async listMaps(): Promise<MapView[]> {
    const known = this.#knownEntries();
    const views: MapView[] = [];
    for (const map of this.#open) {
      views.push(await mapView(map, known));
      await setImmediate();
    }
    return views;
  }

  /** @throws {VetchError} NOT_FOUND; UNSUPPORTED for the ring buffer. */
  async dumpMap(name: string): Promise<MapDump> {
    const map = this.#open.find(({ definition }) => definition.name === name);
    if (!map) {
      const names = this.#open.map(({ definition }) => definition.name).join(', ');
      throw new VetchError('NOT_FOUND', `there is no map '${name}'`, `there are ${names}`);
    }
    if (!map.batches) {
      throw new VetchError('UNSUPPORTED', `map ${name} has no entries to dump`, 'read it with vetch flows');
    }
    return { name, bpftool: bpftoolDump(map), entries: dumpEntries(map) };
  }

  trace(request: TraceRequest): Promise<TraceView> {
    const { host } = this.#options;
    const site = host.traceSite();
    if ('packet' in request) {
      const packet = Uint8Array.from(Buffer.from(request.packet, 'hex'));
      return this.#tracer.run(placePacket(packet, request.at, this.#maps.interfaces.entries(), site));
    }
    return this.#tracer.run(planTrace(host.traceEnd(request.from), host.traceEnd(request.to), request.port, site));
  }

  async statusParts(): Promise<Pick<StatusView, 'maps' | 'drops' | 'warnings'>> {
    const maps = await this.listMaps();
    const now = this.#counted();
    const warnings = statusWarnings({ now, earlier: this.#window.earlier, maps });
    return { maps, drops: statusDrops(now.drops), warnings };
  }

  async doctor(): Promise<DoctorCheck[]> {
    const { pins, host } = this.#options;
    const { hostIfindex, snatPortMin, snatPortMax } = this.#config();
    return examine({
      pins,
      hostDevice: host.deviceName(hostIfindex),
      snatPorts: [snatPortMin, snatPortMax],
      maps: await this.listMaps(),
      uplinks: host.uplinks(),
    });
  }

  /** Prometheus' text format. */
  async metrics(): Promise<string> {
    const { version, node, host, collector } = this.#options;
    const { followers, lostByFollowers } = this.#log;
    return exposition(
      metricFamilies({
        version,
        node,
        ...this.#counted(),
        maps: await this.listMaps(),
        flows: { read: this.#reader.read, followers, lostByFollowers },
        collector: collector.numbers,
        ...host.counts(),
        process: this.#meter.read(),
      }),
    );
  }

  close(): void {
    this.#reader.close();
    this.#ring.close();
    this.#tracer.close();
    this.#window[Symbol.dispose]();
    this.#meter[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #counted(): Moment {
    return {
      drops: dropTotals(this.#maps.drops),
      counters: counterTotals(this.#maps.counters),
      collectorFailures: this.#options.collector.numbers.failures,
    };
  }

  #knownEntries(): ReadonlyMap<string, number> {
    const { collector, host } = this.#options;
    const known = new Map(host.knownEntries());
    // What the collector found is some seconds old: good enough where counting would take longer than asking is worth.
    if ((collector.entries ?? 0) > countedBelow) known.set('conntrack', collector.entries ?? 0);
    return known;
  }

  /** @throws {VetchError} UNAVAILABLE before the control plane has written it. */
  #config(): Config {
    const config = this.#maps.config.get(0);
    if (!config || config.hostIfindex === 0) {
      throw new VetchError('UNAVAILABLE', 'the datapath is not configured yet', 'try again when the daemon is ready');
    }
    return config;
  }
}
