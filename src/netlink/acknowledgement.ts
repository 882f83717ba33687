import { KernelError } from '../loader/kernel-error.ts';
import { Flag, headerSize, type Message, type Request } from './message.ts';
import type { Attributes } from './payload.ts';

/** `enum nlmsgerr_attrs`: Linux's extended acknowledgement. */
const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_MISS_TYPE = 5;

/** What the kernel said of a request. */
export interface Acknowledgement {
  /** Positive; 0 is success. */
  readonly errno: number;
  /** The kernel's explanation in words, or the warning that comes with a success. */
  readonly detail?: string;
}

/** Reads an ERROR message (an errno of 0 is the acknowledgement), or the end of a dump. */
export function decodeAcknowledgement(message: Message, isDone = false): Acknowledgement {
  const { payload, flags } = message;
  if (payload.length < 4) return { errno: 0 };
  const errno = Math.abs(payload.s32());
  if ((flags & Flag.ACK_TLVS) === 0) return { errno };
  const detail = explain(payload.attributes(attributesAt(message, isDone)));
  return detail === undefined ? { errno } : { errno, detail };
}

/** The error of a refused request; undefined for one that was granted. */
export function refusal(request: Request, { errno, detail }: Acknowledgement): KernelError | undefined {
  if (errno === 0) return undefined;
  return new KernelError(errno, request.operation, request.object, undefined, { detail });
}

/** Behind the errno comes the request, whole or its header alone; after the end of a dump nothing does. */
function attributesAt({ payload, flags }: Message, isDone: boolean): number {
  if (isDone) return 4;
  return 4 + ((flags & Flag.CAPPED) === 0 ? payload.u32(4) : headerSize);
}

function explain(attributes: Attributes): string | undefined {
  const text = attributes.text(NLMSGERR_ATTR_MSG);
  if (text) return text;
  const missing = attributes.u32(NLMSGERR_ATTR_MISS_TYPE);
  return missing === undefined ? undefined : `Attribute ${missing} is missing`;
}
