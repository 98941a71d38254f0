import {
  type Connect,
  isLegalReasonCode,
  ReasonCode,
  reasonCodeToConnectReturnCode,
} from '@robustmq/mqtt-codec';
import type { AuthenticationVerdict, ClientIdentity } from '@robustmq/access';
import { authenticationMethodOf, negotiateConnect, OutboundAliases } from '@robustmq/mqtt-session';
import { countRefusedConnect, log, logEvents } from '@robustmq/telemetry';
import { parseTopicName } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { BrokerCluster } from '../cluster/contract.ts';
import type { Claim } from '../session/session-registry.ts';
import { willOf } from '../session/wills.ts';
import type { ClientConnection } from './client-connection.ts';
import { advanceAuthentication } from './receive-auth.ts';

/** Who the client turned out to be. */
export interface AuthenticatedClient {
  readonly username: string | null;
  readonly superuser: boolean;
  readonly authenticationData: Uint8Array | null;
}

/** What CONNACK tells. */
interface Outcome {
  readonly present: boolean;
  readonly clientId: string;
  readonly client: AuthenticatedClient;
}

/** A CONNECT (MQTT-5.0 §3.1): negotiate, authenticate, take the session, answer. */
export function receiveConnect(connection: ClientConnection, connect: Connect): void {
  const { context } = connection;
  if (context.draining) {
    // 0x8B is not a code of CONNACK (MQTT-5.0 §3.2.2.2).
    refuseConnect(connection, ReasonCode.serverUnavailable, 'the server is shutting down');
    return;
  }
  const elsewhere = context.cluster?.redirect() ?? null;
  if (elsewhere !== null) {
    const { reasonCode, reference } = elsewhere;
    refuseConnect(connection, reasonCode, 'the broker is being drained', reference);
    return;
  }
  const negotiation = negotiateConnect(connect, context.offer);
  if (negotiation.verdict === 'refuse') {
    refuseConnect(connection, negotiation.reasonCode, negotiation.reason);
    return;
  }
  const reason = willFault(context, connect);
  if (reason !== null) {
    refuseConnect(connection, ReasonCode.topicNameInvalid, reason);
    return;
  }
  connection.terms = negotiation.terms;
  const method = authenticationMethodOf(connect);
  if (method === null) authenticate(connection, connect);
  else beginEnhanced(connection, connect, method);
}

function authenticate(connection: ClientConnection, connect: Connect): void {
  const { context, transport } = connection;
  const settled = context.access.authenticateNow(transport, connect);
  if (settled !== null) {
    decide(connection, connect, settled);
    return;
  }
  connection.suspend();
  context.access
    .authenticate(context.access.credentialsOf(transport, connect))
    .then((verdict) => decide(connection, connect, verdict))
    .catch((error: unknown) => {
      const err = error instanceof Error ? error : new Error(String(error));
      log(context.logger, logEvents.taskFailed, { task: 'authentication', err });
      refuseConnect(connection, ReasonCode.serverUnavailable, 'authentication is not available');
    });
}

function decide(
  connection: ClientConnection,
  connect: Connect,
  verdict: AuthenticationVerdict,
): void {
  if (connection.phase === 'closed') return;
  const { counters } = connection.context;
  if (verdict.verdict === 'accept') {
    counters.authSuccess += 1;
    continueConnect(connection, connect, { ...verdict, authenticationData: null });
    return;
  }
  // Who fails a check is told why, and is cut off (MQTT-5.0 [MQTT-3.1.4-2]).
  counters.authFailed += 1;
  const reason = verdict.verdict === 'reject' ? verdict.reason : 'notAuthorized';
  if (reason === 'busy')
    refuseConnect(connection, ReasonCode.serverBusy, 'too many logins at once');
  else if (reason === 'badCredentials') {
    refuseConnect(connection, ReasonCode.badUserNameOrPassword, 'user name or password is wrong');
  } else refuseConnect(connection, ReasonCode.notAuthorized, 'not authorized');
}

function beginEnhanced(connection: ClientConnection, connect: Connect, name: string): void {
  const method = connection.context.authenticationMethods.get(name);
  // MQTT-5.0 [MQTT-4.12.0-1].
  if (method === undefined) {
    refuseConnect(
      connection,
      ReasonCode.badAuthenticationMethod,
      'the authentication method is not known',
    );
    return;
  }
  const exchange = method.begin(connect.clientId);
  connection.authentication = { method: name, exchange, underWay: true, connect };
  advanceAuthentication(
    connection,
    connection.authentication,
    connect.properties.authenticationData ?? null,
  );
}

/** The client is who it says: take its session and answer. */
export function continueConnect(
  connection: ClientConnection,
  connect: Connect,
  client: AuthenticatedClient,
): void {
  const { context } = connection;
  // MQTT-5.0 [MQTT-3.1.3-6]; from here on it counts as the one that was sent ([MQTT-3.1.3-7]).
  const clientId = connect.clientId === '' ? context.sessions.assignClientId() : connect.clientId;
  const identity = {
    clientId,
    username: client.username,
    remoteAddress: connection.transport.remoteAddress,
  };
  const will = connect.will;
  if (will !== null && !mayPublishWill(context, { ...client, ...identity }, will.topic)) {
    refuseConnect(connection, ReasonCode.notAuthorized, 'the will topic is not allowed');
    return;
  }
  const claim = {
    connection,
    identity,
    superuser: client.superuser,
    cleanStart: connect.cleanStart,
    terms: connection.terms,
    will: willOf(context, connect, client),
    ownerEpoch: 0,
  };
  if (context.cluster === null) takeSession(connection, connect, { claim, client });
  else acquire(context.cluster, connection, connect, { claim, client });
}

/** Who wants the session, and how it was authenticated. */
interface Claimant {
  readonly claim: Claim;
  readonly client: AuthenticatedClient;
}

/** Whoever has the client identifier elsewhere in the cluster gives it up first. */
function acquire(
  cluster: BrokerCluster,
  connection: ClientConnection,
  connect: Connect,
  claimant: Claimant,
): void {
  const { identity, cleanStart, terms, will } = claimant.claim;
  const { clientId, username } = identity;
  const { sessionExpirySeconds } = terms;
  connection.suspend();
  const decide = async (): Promise<void> => {
    // It may have gone while it waited.
    if (isClosed(connection)) return;
    try {
      const request = { clientId, username, cleanStart, sessionExpirySeconds, will };
      const answer = await cluster.acquire(request);
      if (answer.verdict === 'refuse') {
        refuseConnect(connection, answer.reasonCode, answer.reason);
      } else if (isClosed(connection)) cluster.abandoned(clientId, answer.epoch);
      else {
        const claim = { ...claimant.claim, ownerEpoch: answer.epoch };
        takeSession(connection, connect, { ...claimant, claim });
      }
    } catch (error) {
      connection.context.fatal('taking a session over', error);
    }
  };
  // What ends with the connection is not kept anywhere: it must not wait for those that are.
  if (sessionExpirySeconds === 0 && will === null) void decide();
  else if (!connection.context.admission.submit(decide)) {
    refuseConnect(connection, ReasonCode.serverBusy, 'too many clients connect at once');
  }
}

function takeSession(
  connection: ClientConnection,
  connect: Connect,
  { claim, client }: Claimant,
): void {
  const { context } = connection;
  const { clientId } = claim.identity;
  const taken = context.sessions.take(claim);
  if (taken.verdict === 'refuse') {
    context.cluster?.abandoned(clientId, claim.ownerEpoch);
    refuseConnect(connection, taken.reasonCode, taken.reason);
    return;
  }
  connection.session = taken.session;
  if (connection.terms.topicAliasMaximumOutbound > 0) {
    connection.outboundAliases = new OutboundAliases(connection.terms.topicAliasMaximumOutbound);
  }
  const outcome = { present: taken.present, clientId, client };
  if (taken.promises === 'nothing') {
    accept(connection, connect, outcome);
    return;
  }
  // CONNACK vouches for the will and for the end of the session before: both are durable by then.
  taken.session.resending = true;
  connection.suspend();
  context.log.afterCommit((committed) => {
    if (isClosed(connection)) return;
    taken.session.resending = false;
    if (!committed) {
      context.wills.cancel(taken.session);
      refuseConnect(connection, ReasonCode.quotaExceeded, 'the journal is full');
      return;
    }
    accept(connection, connect, outcome);
  }, taken.session);
}

function accept(connection: ClientConnection, connect: Connect, outcome: Outcome): void {
  // The one CONNACK of success (MQTT-5.0 [MQTT-3.1.4-5], [MQTT-3.2.0-2]).
  answer(connection, connect, outcome);
  const { session } = connection;
  if (isClosed(connection) || session === null) return;
  connection.accepted = true;
  // Nothing may come before CONNACK (MQTT-5.0 [MQTT-3.2.0-1]), so deliveries begin only now.
  connection.context.sessions.resume(session, {
    cleanStart: connect.cleanStart,
    sessionPresent: outcome.present,
  });
  connection.resumeAs('connected');
}

function isClosed(connection: ClientConnection): boolean {
  return connection.phase === 'closed';
}

function answer(connection: ClientConnection, connect: Connect, outcome: Outcome): void {
  const { context } = connection;
  const data = outcome.client.authenticationData;
  context.counters.connackSent += 1;
  context.counters.connectsAccepted += 1;
  connection.send({
    kind: 'connack',
    // MQTT-5.0 [MQTT-3.2.2-2], [MQTT-3.2.2-3].
    // 3.1 has no such flag; the byte is reserved (MQTT 3.1 §3.2).
    sessionPresent: connection.version === 3 ? false : outcome.present,
    reasonCode: ReasonCode.success,
    properties:
      connection.version !== 5
        ? {}
        : {
            ...connection.terms.connackProperties,
            // MQTT-5.0 [MQTT-3.1.3-7], [MQTT-3.2.2-16].
            ...(connect.clientId === '' ? { assignedClientIdentifier: outcome.clientId } : {}),
            // The method of CONNECT, or none (MQTT-5.0 [MQTT-4.12.0-5], [MQTT-4.12.0-6]).
            ...(connection.authentication === null
              ? {}
              : { authenticationMethod: connection.authentication.method }),
            ...(data === null ? {} : { authenticationData: data }),
          },
  });
}

/**
 * CONNACK with a reason, without a session (MQTT-5.0 [MQTT-3.2.2-6]), and the end ([MQTT-3.2.2-7]); for
 * what 3.x has no code: only the end.
 */
export function refuseConnect(
  connection: ClientConnection,
  reasonCode: number,
  reason: string,
  serverReference = '',
): void {
  if (connection.phase === 'closed') return;
  const { counters, logger } = connection.context;
  countRefusedConnect(counters, reasonCode);
  log(logger, logEvents.clientRefused, {
    clientId: '',
    username: '',
    remoteAddress: connection.transport.remoteAddress,
    listener: connection.transport.listener.name,
    reasonCode,
  });
  const told =
    connection.version === 5
      ? codeForConnack(reasonCode)
      : reasonCodeToConnectReturnCode(reasonCode);
  // MQTT-5.0 §3.2.2.3.16.
  const reference = serverReference === '' ? {} : { serverReference };
  if (told !== null && told !== 0 && connection.greeted) {
    counters.connackSent += 1;
    connection.send({
      kind: 'connack',
      sessionPresent: false,
      reasonCode: told,
      properties: connection.version === 5 ? { reasonString: reason, ...reference } : {},
    });
  }
  connection.end();
}

/** Codes that are of DISCONNECT alone become the general one (MQTT-5.0 §3.2.2.2). */
function codeForConnack(reasonCode: number): ReasonCode {
  return isLegalReasonCode('connack', reasonCode)
    ? (reasonCode as ReasonCode)
    : ReasonCode.unspecifiedError;
}

function willFault(context: BrokerContext, connect: Connect): string | null {
  if (connect.will === null) return null;
  const parsed = parseTopicName(connect.will.topic, context.settings.limits);
  return parsed.ok ? null : 'the will topic is not a legal topic name';
}

function mayPublishWill(
  context: BrokerContext,
  client: ClientIdentity & { readonly superuser: boolean },
  topic: string,
): boolean {
  if (topic.startsWith('$SYS/')) return false; // Only the broker speaks there.
  const { access } = context;
  return access.unrestricted || client.superuser || access.mayPublish(client, topic);
}
