import type { Route } from '../route.ts';
import { denyRoutes } from './deny.ts';
import { endpointRoutes } from './endpoints.ts';
import { networkRoutes } from './networks.ts';
import { nodeRoutes } from './nodes.ts';
import { observeRoutes } from './observe.ts';
import { policyRoutes } from './policies.ts';
import { portRoutes } from './ports.ts';
import { serviceRoutes } from './services.ts';
import { statusRoutes } from './status.ts';

/** Everything below /v1. */
export const routes: readonly Route[] = [
  ...networkRoutes,
  ...endpointRoutes,
  ...portRoutes,
  ...serviceRoutes,
  ...policyRoutes,
  ...denyRoutes,
  ...nodeRoutes,
  ...observeRoutes,
  ...statusRoutes,
];
