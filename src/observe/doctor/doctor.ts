import { existsSync } from 'node:fs';
import type { DoctorCheck } from '../../api/schemas/status.ts';
import { isBpffs, layoutVersion, type PinTree } from '../../loader/pin.ts';
import { Program } from '../../loader/program.ts';
import { mapDefinitions } from '../../maps/generated/abi.ts';
import type { MapFill } from '../maps/fill.ts';
import { doctorChecks } from './checks.ts';
import type { PortRange } from './facts.ts';
import { featureFacts } from './feature-facts.ts';
import { inputChains } from './firewall.ts';
import { foreignPrograms, type UplinkDevice } from './foreign-programs.ts';
import { hostFacts } from './host-facts.ts';

export interface DoctorOptions {
  readonly pins: PinTree;
  readonly hostDevice: string;
  readonly snatPorts: PortRange;
  readonly maps: readonly MapFill[];
  readonly uplinks: readonly UplinkDevice[];
}

/** Looks at this host and at what we have made of it, and changes nothing. */
export async function examine({ pins, hostDevice, snatPorts, maps, uplinks }: DoctorOptions): Promise<DoctorCheck[]> {
  return doctorChecks({
    ...hostFacts(hostDevice),
    hostDevice,
    snatPorts,
    maps,
    features: featureFacts(),
    bpffs: { path: pins.directory, mounted: isBpffs(pins.directory) },
    inputChains: await inputChains(hostDevice),
    foreignPrograms: foreignPrograms(uplinks, ownPrograms(pins)),
    pins: {
      directory: pins.directory,
      layouts: pins.versions().map((version) => `v${version}`),
      expected: `v${layoutVersion}`,
      missing: Object.values(mapDefinitions)
        .map(({ name }) => name)
        .filter((name) => !existsSync(pins.map(name))),
    },
  });
}

function ownPrograms(pins: PinTree): Set<number> {
  return new Set(
    pins.programs().map((name) => {
      using program = Program.fromPin(pins.program(name));
      return program.id;
    }),
  );
}
