import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { VetchError } from '../../api/error.ts';
import type { EtcdTls } from './options.ts';

/**
 * The service configuration that a name server may give is not asked for: etcd has none. What grpc-js retries by itself it
 * would retry on the same member.
 */
export const channelOptions: ChannelOptions = {
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.min_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 3_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  'grpc.enable_retries': 0,
  // A client has connections of its own, also beside another one of its process: as many hosts are there in a simulation.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  // etcd cuts off who asks more often than every 5 s (--grpc-keepalive-min-time).
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // A page or a fragment is within etcd's --max-request-bytes times its number of records.
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
};

/** @throws VetchError INVALID: not PEM, or a certificate and a key that do not belong together */
export function credentialsOf(tls: EtcdTls | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  try {
    return credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.certificate ?? null);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VetchError(
      'INVALID',
      `the files for TLS with the cluster's store cannot be used: ${why}`,
      'check --store-ca, --store-cert and --store-key: PEM, and a key that belongs to its certificate',
      { cause },
    );
  }
}
