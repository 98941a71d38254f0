import { type Auth, type Connect, ReasonCode } from '@robustmq/mqtt-codec';

/**
 * Enhanced authentication (MQTT-5.0 §4.12) as a seam: a method takes what the client sends and says
 * what comes next. Several round trips, at CONNECT and again in mid-session.
 */
export interface AuthenticationMethod {
  /** As in the Authentication Method property, such as `SCRAM-SHA-256`. */
  readonly name: string;
  begin(clientId: string): AuthenticationExchange;
}

/** One run of a method with one client, from CONNECT or AUTH 0x19 to success or failure. */
export interface AuthenticationExchange {
  /** @param data  Authentication Data of the client; null when it sent none */
  advance(data: Uint8Array | null): AuthenticationStep | Promise<AuthenticationStep>;
}

/** What comes next; `username` null: the method knows no name, and what CONNECT claims does not count. */
export type AuthenticationStep =
  | { readonly step: 'continue'; readonly data: Uint8Array | null }
  | { readonly step: 'success'; readonly data: Uint8Array | null; readonly username: string | null }
  | { readonly step: 'failure'; readonly reason: string };

/** What to do with an AUTH; `restart`: begin a new exchange first. */
export type AuthVerdict =
  | { readonly verdict: 'advance'; readonly data: Uint8Array | null; readonly restart: boolean }
  | { readonly verdict: 'refuse'; readonly reasonCode: number; readonly reason: string };

/**
 * What an AUTH packet means: the method must be the one of CONNECT (MQTT-5.0 [MQTT-4.12.0-5],
 * [MQTT-4.12.1-1]), 0x18 answers our own 0x18 ([MQTT-4.12.0-3]), and 0x19 begins again on a connected
 * client.
 */
export function judgeAuth(
  auth: Auth,
  state: {
    readonly method: string | null;
    readonly underWay: boolean;
    readonly connected: boolean;
  },
): AuthVerdict {
  const method = auth.properties.authenticationMethod;
  // MQTT-5.0 [MQTT-4.12.0-7].
  if (state.method === null) {
    return refuse(ReasonCode.protocolError, 'AUTH without an authentication method in CONNECT');
  }
  if (method !== state.method) {
    return refuse(ReasonCode.badAuthenticationMethod, 'AUTH with another authentication method');
  }
  const data = auth.properties.authenticationData ?? null;
  if (auth.reasonCode === ReasonCode.continueAuthentication && state.underWay) {
    return { verdict: 'advance', data, restart: false };
  }
  if (auth.reasonCode === ReasonCode.reAuthenticate && state.connected && !state.underWay) {
    return { verdict: 'advance', data, restart: true };
  }
  return refuse(ReasonCode.protocolError, `AUTH with reason code ${auth.reasonCode} out of turn`);
}

function refuse(reasonCode: number, reason: string): AuthVerdict {
  return { verdict: 'refuse', reasonCode, reason };
}

/** The method that CONNECT asks for, or null (MQTT-5.0 §3.1.2.11.9). */
export function authenticationMethodOf(connect: Connect): string | null {
  return connect.properties.authenticationMethod ?? null;
}
