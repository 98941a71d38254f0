import { type Disconnect, ReasonCode } from '@robustmq/mqtt-codec';
import { sessionExpiryAtDisconnect } from '@robustmq/mqtt-session';
import type { ClientSession } from '../session/client-session.ts';
import { countDisconnect } from './disconnect-cause.ts';
import type { ClientConnection } from './client-connection.ts';

/** A DISCONNECT (MQTT-5.0 §3.14): the will goes, unless the client wants it published. */
export function receiveDisconnect(connection: ClientConnection, disconnect: Disconnect): void {
  const { context } = connection;
  const session = connection.session as ClientSession;
  context.counters.disconnectReceived += 1;
  const expiry = sessionExpiryAtDisconnect(
    connection.terms.sessionExpirySeconds,
    disconnect.properties.sessionExpiryIntervalSeconds,
    context.settings.protocol.sessionExpirySecondsMax,
  );
  if (expiry.verdict === 'protocolError') {
    connection.close(ReasonCode.protocolError, 'DISCONNECT sets a session expiry that CONNECT did not');
    return;
  }
  session.sessionExpirySeconds = expiry.sessionExpirySeconds;
  const withWill = disconnect.reasonCode === ReasonCode.disconnectWithWillMessage;
  if (!withWill) context.wills.cancel(session);
  countDisconnect(context.counters, withWill ? 'clientWithWill' : 'client');
  connection.end();
}
