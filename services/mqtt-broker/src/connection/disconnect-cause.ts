import { ReasonCode } from '@robustmq/mqtt-codec';
import type { BrokerCounters } from '@robustmq/telemetry';

/** How a connection ended: a reason code, or without one. */
export type DisconnectCause = number | 'lost' | 'client' | 'clientWithWill';

type Label = readonly [label: string, counter: keyof BrokerCounters];

const OTHER: Label = ['other', 'disconnectsOther'];
const LABELS: ReadonlyMap<DisconnectCause, Label> = new Map<DisconnectCause, Label>([
  ['lost', ['connection_lost', 'disconnectsConnectionLost']],
  ['client', ['client', 'disconnectsByClient']],
  ['clientWithWill', ['client_with_will', 'disconnectsByClientWithWill']],
  [ReasonCode.keepAliveTimeout, ['keep_alive_timeout', 'disconnectsKeepAliveTimeout']],
  [ReasonCode.sessionTakenOver, ['taken_over', 'disconnectsTakenOver']],
  [ReasonCode.malformedPacket, ['protocol_error', 'disconnectsProtocolError']],
  [ReasonCode.protocolError, ['protocol_error', 'disconnectsProtocolError']],
  [ReasonCode.packetTooLarge, ['packet_too_large', 'disconnectsPacketTooLarge']],
  [ReasonCode.notAuthorized, ['not_authorized', 'disconnectsNotAuthorized']],
  [ReasonCode.quotaExceeded, ['quota_exceeded', 'disconnectsQuotaExceeded']],
  [ReasonCode.messageRateTooHigh, ['quota_exceeded', 'disconnectsQuotaExceeded']],
  [ReasonCode.administrativeAction, ['administrative', 'disconnectsAdministrative']],
  [ReasonCode.serverShuttingDown, ['shutdown', 'disconnectsShutdown']],
]);

/** Counts the end of a connection that had its CONNACK. */
export function countDisconnect(counters: BrokerCounters, cause: DisconnectCause): void {
  const [, counter] = LABELS.get(cause) ?? OTHER;
  counters[counter] += 1;
}

/** The cause by the name that metrics and presence give it. */
export function disconnectLabel(cause: DisconnectCause): string {
  const [label] = LABELS.get(cause) ?? OTHER;
  return label;
}
