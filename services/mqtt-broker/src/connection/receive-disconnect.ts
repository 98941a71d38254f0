import { type Disconnect, ReasonCode } from '@robustmq/mqtt-codec';
import { sessionExpiryAtDisconnect } from '@robustmq/mqtt-session';
import type { ClientConnection } from './client-connection.ts';

/**
 * A DISCONNECT (MQTT-5.0 §3.14): only a normal one deletes the will; any other reason code, "with
 * will message" or an error of the client's, publishes it (MQTT-5.0 [MQTT-3.1.2-10]).
 */
export function receiveDisconnect(connection: ClientConnection, disconnect: Disconnect): void {
  const { context } = connection;
  context.counters.disconnectReceived += 1;
  const { session } = connection;
  if (session === null) {
    // It gives up an authentication that is under way.
    connection.end();
    return;
  }
  const expiry = sessionExpiryAtDisconnect(
    connection.terms.sessionExpirySeconds,
    disconnect.properties.sessionExpiryIntervalSeconds,
    context.settings.protocol.sessionExpirySecondsMax,
  );
  if (expiry.verdict === 'protocolError') {
    connection.close(
      ReasonCode.protocolError,
      'DISCONNECT sets a session expiry that CONNECT did not',
    );
    return;
  }
  session.sessionExpirySeconds = expiry.sessionExpirySeconds;
  const withWill = disconnect.reasonCode !== ReasonCode.normalDisconnection;
  if (!withWill) context.wills.cancel(session);
  connection.endCause = withWill ? 'clientWithWill' : 'client';
  connection.end();
}
