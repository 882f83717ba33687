import { z } from 'zod';
import { doctorCheck, identityView, statusView } from '../../../api/schemas/status.ts';
import { route } from '../route.ts';

export const statusRoutes = [
  route({
    method: 'GET',
    path: '/status',
    operation: 'status',
    summary: 'What runs here, how full its maps are, what it dropped and repaired',
    response: statusView,
    handle: (operations) => operations.status(),
  }),
  route({
    method: 'GET',
    path: '/doctor',
    operation: 'doctor',
    summary: 'Check the host for what would keep the datapath from working',
    response: z.array(doctorCheck),
    handle: (operations) => operations.doctor(),
  }),
  route({
    method: 'GET',
    path: '/identities',
    operation: 'listIdentities',
    summary: 'List the policy identities and who has them',
    response: z.array(identityView),
    handle: (operations) => operations.listIdentities(),
  }),
];
