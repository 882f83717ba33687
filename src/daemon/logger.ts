import { destination, type Logger, pino } from 'pino';

/** JSON lines on stderr, which a journal or a container's log takes as they are. */
export function createLogger(node: string): Logger {
  const level = process.env.VETCH_LOG ?? 'info';
  // Written at once: a daemon that dies has said why.
  return pino({ level, base: { node } }, destination({ dest: 2, sync: true }));
}
