import { type Config, ConntrackState } from '../../maps/generated/abi.ts';

/** The times of `config` after which a flow without packets ends, seconds. */
export type Timeouts = Pick<
  Config,
  | 'timeoutNew'
  | 'timeoutUdp'
  | 'timeoutIcmp'
  | 'timeoutEstablished'
  | 'timeoutClosing'
  | 'timeoutClosed'
  | 'timeoutRefused'
>;

const icmp = 1;
const tcp = 6;
const icmpv6 = 58;
const sctp = 132;

/** Seconds that a flow lives without a packet; the datapath judges alike (bpf/lib/conntrack.h). */
export function timeoutOf(state: number, protocol: number, timeouts: Timeouts): number {
  switch (state) {
    case ConntrackState.CLOSING:
      return timeouts.timeoutClosing;
    case ConntrackState.REFUSED:
      return protocol === tcp || protocol === sctp ? timeouts.timeoutRefused : timeouts.timeoutNew;
    case ConntrackState.CLOSED:
      return timeouts.timeoutClosed;
    case ConntrackState.NEW:
      return timeouts.timeoutNew;
    default:
      if (protocol === icmp || protocol === icmpv6) return timeouts.timeoutIcmp;
      if (protocol !== tcp && protocol !== sctp) return timeouts.timeoutUdp;
      return state === ConntrackState.ESTABLISHED ? timeouts.timeoutEstablished : timeouts.timeoutNew;
  }
}
