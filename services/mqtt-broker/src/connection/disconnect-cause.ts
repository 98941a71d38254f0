import { ReasonCode } from '@robustmq/mqtt-codec';
import type { BrokerCounters } from '@robustmq/telemetry';

/** Counts the end of a connection under its cause: a reason code, or how it ended without one. */
export function countDisconnect(
  counters: BrokerCounters,
  cause: number | 'lost' | 'client' | 'clientWithWill',
): void {
  switch (cause) {
    case 'lost':
      counters.disconnectsConnectionLost += 1;
      break;
    case 'client':
      counters.disconnectsByClient += 1;
      break;
    case 'clientWithWill':
      counters.disconnectsByClientWithWill += 1;
      break;
    case ReasonCode.keepAliveTimeout:
      counters.disconnectsKeepAliveTimeout += 1;
      break;
    case ReasonCode.sessionTakenOver:
      counters.disconnectsTakenOver += 1;
      break;
    case ReasonCode.malformedPacket:
    case ReasonCode.protocolError:
      counters.disconnectsProtocolError += 1;
      break;
    case ReasonCode.packetTooLarge:
      counters.disconnectsPacketTooLarge += 1;
      break;
    case ReasonCode.notAuthorized:
      counters.disconnectsNotAuthorized += 1;
      break;
    case ReasonCode.quotaExceeded:
    case ReasonCode.messageRateTooHigh:
      counters.disconnectsQuotaExceeded += 1;
      break;
    case ReasonCode.administrativeAction:
      counters.disconnectsAdministrative += 1;
      break;
    case ReasonCode.serverShuttingDown:
      counters.disconnectsShutdown += 1;
      break;
    default:
      counters.disconnectsOther += 1;
  }
}
