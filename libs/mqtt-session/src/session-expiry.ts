import { SESSION_NEVER_EXPIRES } from './connect-negotiation.ts';

/** The interval in force after a DISCONNECT, unless it asks for what it may not. */
export type DisconnectExpiry =
  | { readonly verdict: 'accept'; readonly sessionExpirySeconds: number }
  | { readonly verdict: 'protocolError' };

/**
 * The session expiry interval after a DISCONNECT that names one: zero at CONNECT must stay zero
 * (MQTT-5.0 §3.14.2.2.2).
 */
export function sessionExpiryAtDisconnect(
  atConnectSeconds: number,
  wantedSeconds: number | undefined,
  maximumSeconds: number,
): DisconnectExpiry {
  if (wantedSeconds === undefined)
    return { verdict: 'accept', sessionExpirySeconds: atConnectSeconds };
  if (atConnectSeconds === 0 && wantedSeconds !== 0) return { verdict: 'protocolError' };
  return { verdict: 'accept', sessionExpirySeconds: Math.min(wantedSeconds, maximumSeconds) };
}

/** When a session that lost its connection at `nowMs` ends (MQTT-5.0 [MQTT-4.1.0-2]); Infinity: never. */
export function sessionExpiresAtMs(nowMs: number, sessionExpirySeconds: number): number {
  if (sessionExpirySeconds === SESSION_NEVER_EXPIRES) return Number.POSITIVE_INFINITY;
  return nowMs + sessionExpirySeconds * 1000;
}

/**
 * How long the will message waits after the connection is lost: the will delay interval, but not
 * beyond the end of the session (MQTT-5.0 §3.1.3.2.2, [MQTT-3.1.2-8]).
 */
export function willDelayMs(willDelaySeconds: number, sessionExpirySeconds: number): number {
  return Math.min(willDelaySeconds, sessionExpirySeconds) * 1000;
}

/** Silence after which a client is gone: one and a half times the keep alive (MQTT-5.0 [MQTT-3.1.2-22]). */
export function keepAliveDeadlineMs(keepAliveSeconds: number): number {
  return keepAliveSeconds * 1500;
}
