import { type Auth, ReasonCode } from '@robustmq/mqtt-codec';
import { type AuthenticationStep, judgeAuth } from '@robustmq/mqtt-session';
import type { AuthenticationState } from './authenticate.ts';
import type { ClientConnection } from './client-connection.ts';
import { continueConnect } from './receive-connect.ts';

/** An AUTH from a client: the next step of an exchange, or the begin of a re-authentication. */
export function receiveAuth(connection: ClientConnection, auth: Auth): void {
  connection.context.counters.authReceived += 1;
  const state = connection.authentication;
  const verdict = judgeAuth(auth, {
    method: state?.method ?? null,
    underWay: state?.underWay ?? false,
    connected: connection.phase === 'connected',
  });
  if (verdict.verdict === 'refuse' || state === null) {
    const refusal = verdict.verdict === 'refuse' ? verdict : null;
    connection.close(refusal?.reasonCode ?? ReasonCode.protocolError, refusal?.reason ?? 'AUTH');
    return;
  }
  if (verdict.restart) {
    const method = connection.context.authenticationMethods.get(state.method);
    if (method === undefined) return;
    state.exchange = method.begin(connection.session?.clientId ?? '');
    state.underWay = true;
  }
  advanceAuthentication(connection, state, verdict.data);
}

/** Runs one step of the exchange; packets that arrive meanwhile wait. */
export function advanceAuthentication(
  connection: ClientConnection,
  state: AuthenticationState,
  data: Uint8Array | null,
): void {
  const phase = connection.phase === 'connected' ? 'connected' : 'awaitingConnect';
  connection.suspend();
  Promise.resolve()
    .then(() => state.exchange.advance(data))
    .then(
      (step) => applyStep(connection, state, { step, phase }),
      () => fail(connection, phase, 'the authentication method failed'),
    )
    .catch((error: unknown) => connection.context.fatal('authentication', error));
}

function applyStep(
  connection: ClientConnection,
  state: AuthenticationState,
  outcome: { readonly step: AuthenticationStep; readonly phase: 'connected' | 'awaitingConnect' },
): void {
  if (connection.phase === 'closed') return;
  const { step, phase } = outcome;
  if (step.step === 'failure') {
    fail(connection, phase, step.reason);
    return;
  }
  if (step.step === 'continue') {
    // MQTT-5.0 [MQTT-4.12.0-2].
    sendAuth(connection, ReasonCode.continueAuthentication, state.method, step.data);
    connection.resumeAs(phase);
    return;
  }
  state.underWay = false;
  const connect = state.connect;
  state.connect = null;
  if (connect !== null) {
    continueConnect(connection, connect, {
      // What CONNECT claims is proved by nobody.
      username: step.username,
      superuser: false,
      authenticationData: step.data,
    });
    return;
  }
  sendAuth(connection, ReasonCode.success, state.method, step.data);
  connection.resumeAs(phase);
}

function sendAuth(
  connection: ClientConnection,
  reasonCode: ReasonCode,
  method: string,
  data: Uint8Array | null,
): void {
  connection.context.counters.authSent += 1;
  connection.send({
    kind: 'auth',
    reasonCode,
    properties: {
      // That of CONNECT (MQTT-5.0 [MQTT-4.12.0-5]).
      authenticationMethod: method,
      ...(data === null ? {} : { authenticationData: data }),
    },
  });
}

/** Refuses the client at any point (MQTT-5.0 [MQTT-4.12.0-4], and connected [MQTT-4.12.1-2]). */
function fail(
  connection: ClientConnection,
  phase: 'connected' | 'awaitingConnect',
  reason: string,
): void {
  if (connection.phase === 'closed') return;
  connection.phase = phase;
  connection.context.counters.authFailed += 1;
  connection.close(ReasonCode.notAuthorized, reason);
}
