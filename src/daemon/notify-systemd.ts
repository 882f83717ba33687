import { notify } from '../loader/ffi/notify.ts';

/**
 * Tells systemd how the daemon is, if it asked for it (`Type=notify`).
 *
 * @param state as `READY=1` or `STOPPING=1`
 */
export function notifySystemd(state: string): void {
  const path = process.env.NOTIFY_SOCKET;
  if (path) notify(path, state);
}
