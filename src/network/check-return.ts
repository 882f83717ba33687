import { VetchError } from '../api/error.ts';

type Options = Readonly<Record<string, string>>;

/**
 * Refuses a way back for ports that no other host leads to.
 *
 * @param options of a network, or of an endpoint
 * @param inherited of the endpoint's network
 * @throws VetchError INVALID
 */
export function checkReturn(options: Options, inherited: Options = {}): void {
  if (options['vetch.publish.return'] !== 'direct') return;
  if ((options['vetch.publish'] ?? inherited['vetch.publish']) === 'cluster') return;
  throw new VetchError(
    'INVALID',
    'option vetch.publish.return=direct is for ports that every host leads to, and these are on their own host alone',
    'give vetch.publish=cluster along with it, or leave it out',
  );
}
