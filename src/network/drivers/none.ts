import { type Driver, noCapabilities } from './contract.ts';
import { withoutDevice } from './without-device.ts';

/** Loopback alone. */
export const noneDriver: Driver = { ...withoutDevice('none', ['PRESENT', 'INTERNAL']), capabilities: noCapabilities };
