import { z } from 'zod';
import { errorCodes } from '../error.ts';

/** What every failure looks like on the wire and on stderr with `--json`. */
export const errorView = z.object({
  error: z.object({ code: z.enum(errorCodes), message: z.string(), hint: z.string() }),
});

export type ErrorView = z.output<typeof errorView>;
