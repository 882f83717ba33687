import type { Row } from '../row.ts';
import { acceleratedRoundTrip } from './accelerated.ts';
import { attach } from './attach.ts';
import { containerBulk, containerConnections, containerRoundTrip } from './container-to-container.ts';
import { flowEvents } from './flow-events.ts';
import { forwarding } from './forwarding.ts';
import { memory } from './memory.ts';
import { overlay } from './overlay.ts';
import { packetCost } from './packet-cost.ts';
import { policyRoundTrip } from './policy.ts';
import { policyChange } from './policy-change.ts';
import { publishPorts } from './ports.ts';
import { publishedFromOutside, publishedOnLocalhost } from './published.ts';
import { scale } from './scale.ts';
import { serviceConnections } from './services.ts';
import { start } from './start.ts';

/** In the order of their numbers. */
export const rows: readonly Row[] = [
  containerRoundTrip,
  containerConnections,
  containerBulk,
  publishedFromOutside,
  publishedOnLocalhost,
  forwarding,
  policyRoundTrip,
  packetCost,
  overlay,
  policyChange,
  acceleratedRoundTrip,
  attach,
  memory,
  start,
  flowEvents,
  publishPorts,
  serviceConnections,
  scale,
];
