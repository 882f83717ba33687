import type { z } from 'zod';
import { VetchError } from '../../api/error.ts';

/** One call of a protocol: what it takes, what it does, what it gives. */
export interface Call {
  /** Whether it may come without a body. */
  readonly bodyless: boolean;
  /** @throws VetchError INVALID: not what the call takes; or what the backend refuses */
  answer(body: unknown, signal: AbortSignal): Promise<unknown>;
}

export type Calls = Readonly<Record<string, Call>>;

/** A call whose request and answer are as their schemas say. */
export function call<Request extends z.ZodType, Answer extends z.ZodType>(
  request: Request,
  answer: Answer,
  work: (request: z.output<Request>, signal: AbortSignal) => Promise<z.output<Answer>> | z.output<Answer>,
): Call {
  return {
    bodyless: false,
    async answer(body, signal) {
      const parsed = request.safeParse(body);
      if (!parsed.success) throw unreadable(parsed.error);
      return answer.parse(await work(parsed.data, signal));
    },
  };
}

/** A call that asks what we are; it comes without a body. */
export function question<Answer extends z.ZodType>(answer: Answer, value: z.output<Answer>): Call {
  return { bodyless: true, answer: async () => answer.parse(value) };
}

function unreadable(error: z.ZodError): VetchError {
  const [issue] = error.issues;
  const where = issue?.path.join('.') || 'the request';
  return new VetchError('INVALID', `${where}: ${issue?.message ?? 'is not valid'}`, "send what Docker's protocol says");
}
