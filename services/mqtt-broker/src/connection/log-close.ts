import { ReasonCode } from '@robustmq/mqtt-codec';
import { log, logEvents } from '@robustmq/telemetry';
import type { ClientConnection } from './client-connection.ts';

/** The standard is kept: an account that has changed, a full disk, an administrator, silence. */
const NO_FAULT_OF_THE_CLIENT: ReadonlySet<number> = new Set([
  ReasonCode.notAuthorized,
  ReasonCode.quotaExceeded,
  ReasonCode.administrativeAction,
  ReasonCode.keepAliveTimeout,
]);

const OF_ALL_CLIENTS: ReadonlySet<number> = new Set([
  ReasonCode.serverShuttingDown,
  ReasonCode.useAnotherServer,
]);

/** Logs that the broker ends a connection; a shutdown or drain, which ends all, is logged as a whole. */
export function logClose(connection: ClientConnection, reasonCode: number, detail: string): void {
  const { logger } = connection.context;
  const clientId = connection.session?.clientId ?? '';
  const { remoteAddress, listener } = connection.transport;
  if (reasonCode === ReasonCode.sessionTakenOver) {
    const fields = { clientId, remoteAddress: '', previousAddress: remoteAddress };
    log(logger, logEvents.clientTakenOver, fields);
  } else if (NO_FAULT_OF_THE_CLIENT.has(reasonCode)) {
    const connectedSeconds = connection.context.tick - connection.acceptedTick;
    const fields = { clientId, cause: detail, reasonCode, connectedSeconds };
    log(logger, logEvents.clientDisconnected, fields);
  } else if (!OF_ALL_CLIENTS.has(reasonCode)) {
    const fields = { clientId, remoteAddress, listener: listener.name, reasonCode, detail };
    log(logger, logEvents.clientProtocolError, fields);
  }
}
