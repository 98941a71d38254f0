import { type AcknowledgementFields, ReasonCode } from '@robustmq/mqtt-codec';
import { ExchangeState } from '@robustmq/mqtt-session';
import { OPERATION } from '../durable/operations.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ClientConnection } from './client-connection.ts';

const PUBREL = 0x62;
const PUBCOMP = 0x70;
const FAILURE = 0x80;

/** PUBACK, PUBREC, PUBREL or PUBCOMP from a client (MQTT-5.0 §3.4 to §3.7). */
export function receiveAcknowledgement(
  connection: ClientConnection,
  type: number,
  fields: AcknowledgementFields,
): void {
  const session = connection.session as ClientSession;
  const identifier = fields.packetIdentifier;
  const { counters } = connection.context;
  switch (type) {
    case 4:
      counters.pubackReceived += 1;
      receivePuback(session, identifier);
      break;
    case 5:
      counters.pubrecReceived += 1;
      receivePubrec(connection, session, fields);
      break;
    case 6:
      counters.pubrelReceived += 1;
      receivePubrel(connection, session, identifier);
      break;
    default:
      counters.pubcompReceived += 1;
      receivePubcomp(session, identifier);
  }
}

function receivePuback(session: ClientSession, identifier: number): void {
  // An unknown identifier, or one of a QoS 2 exchange, is ignored: nothing was promised for it.
  if (!session.hasWindow) return;
  if (session.window.stateOf(identifier) !== ExchangeState.awaitingPuback) return;
  // Refused or not, it is over, and nobody else gets it (MQTT-5.0 [MQTT-4.4.0-2], [MQTT-4.8.2-6]).
  complete(session, identifier);
}

/** Closes an exchange; lazily durable, since a repeat after a crash is allowed for it. */
function complete(session: ClientSession, identifier: number): void {
  if (session.durable) session.logExchange(OPERATION.release, identifier);
  session.completeExchange(identifier);
}

function receivePubrec(
  connection: ClientConnection,
  session: ClientSession,
  fields: AcknowledgementFields,
): void {
  const identifier = fields.packetIdentifier;
  const state = session.hasWindow ? session.window.stateOf(identifier) : ExchangeState.free;
  if (state === ExchangeState.awaitingPubrec) {
    // The receiver refuses the message: the exchange is over (MQTT-5.0 [MQTT-4.4.0-2], [MQTT-4.8.2-6]).
    if (fields.reasonCode >= FAILURE) {
      complete(session, identifier);
      return;
    }
    received(connection, session, identifier);
  } else if (state === ExchangeState.awaitingPubcomp) {
    connection.writeAcknowledgement(PUBREL, identifier);
  } else if (state !== ExchangeState.received && fields.reasonCode < FAILURE) {
    connection.writeAcknowledgementWithReason(
      PUBREL,
      identifier,
      ReasonCode.packetIdentifierNotFound,
    );
  }
}

/**
 * PUBREL is due (MQTT-5.0 [MQTT-4.3.3-4]). PUBREC is durable before it leaves: after a crash PUBREL is
 * repeated, never PUBLISH ([MQTT-4.3.3-6]).
 */
function received(connection: ClientConnection, session: ClientSession, identifier: number): void {
  const { window } = session;
  if (!session.durable) {
    window.setState(identifier, ExchangeState.awaitingPubcomp);
    connection.writeAcknowledgement(PUBREL, identifier);
    return;
  }
  window.setState(identifier, ExchangeState.received);
  session.logExchange(OPERATION.received, identifier);
  connection.context.log.afterCommit((committed) => {
    if (window.stateOf(identifier) !== ExchangeState.received) return;
    if (!committed) {
      // PUBREL would be a promise: the client says PUBREC again over its next connection.
      window.setState(identifier, ExchangeState.awaitingPubrec);
      connection.close(ReasonCode.quotaExceeded, 'the journal is full');
      return;
    }
    window.setState(identifier, ExchangeState.awaitingPubcomp);
    // A newer connection repeats it after its CONNACK.
    if (session.connection?.accepted === true) {
      session.connection.writeAcknowledgement(PUBREL, identifier);
    }
  }, session);
}

/**
 * PUBCOMP answers always (MQTT-5.0 [MQTT-4.3.3-11]), and without its receipt the next PUBLISH under the
 * identifier is a new message ([MQTT-4.3.3-12]).
 */
function receivePubrel(
  connection: ClientConnection,
  session: ClientSession,
  identifier: number,
): void {
  const { log } = connection.context;
  const known = session.receiptCount > 0 && session.receipts.release(identifier);
  const reasonCode = known ? ReasonCode.success : ReasonCode.packetIdentifierNotFound;
  if (known && session.durable) session.logExchange(OPERATION.receiptReleased, identifier);
  // Durable before PUBCOMP: else a crash would leave a receipt that swallows the next message under
  // this identifier. An unknown one may have been released over the connection before this one, and
  // that may still wait for its commit.
  if (session.durable && !log.isSettled) {
    log.acknowledge(connection, PUBCOMP, identifier, false, reasonCode);
  } else connection.writeAcknowledgementWithReason(PUBCOMP, identifier, reasonCode);
}

/** Until now PUBREL counted as unacknowledged (MQTT-5.0 [MQTT-4.3.3-5]). */
function receivePubcomp(session: ClientSession, identifier: number): void {
  if (!session.hasWindow) return;
  if (session.window.stateOf(identifier) !== ExchangeState.awaitingPubcomp) return;
  complete(session, identifier);
}
