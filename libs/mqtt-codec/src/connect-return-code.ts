/** From the reason codes of 5.0 to the return codes of CONNACK in 3.1 and 3.1.1. */
import { ReasonCode } from './reason-code.ts';

/** Return codes of CONNACK (MQTT-3.1.1 §3.2.2.3, table 3.1). */
export const ConnectReturnCode = {
  accepted: 0,
  unacceptableProtocolVersion: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorized: 5,
} as const;

const RETURN_CODES: ReadonlyMap<number, number> = new Map([
  [ReasonCode.success, ConnectReturnCode.accepted],
  [ReasonCode.unspecifiedError, ConnectReturnCode.serverUnavailable],
  [ReasonCode.implementationSpecificError, ConnectReturnCode.serverUnavailable],
  [ReasonCode.unsupportedProtocolVersion, ConnectReturnCode.unacceptableProtocolVersion],
  [ReasonCode.clientIdentifierNotValid, ConnectReturnCode.identifierRejected],
  [ReasonCode.badUserNameOrPassword, ConnectReturnCode.badUserNameOrPassword],
  [ReasonCode.notAuthorized, ConnectReturnCode.notAuthorized],
  [ReasonCode.serverUnavailable, ConnectReturnCode.serverUnavailable],
  [ReasonCode.serverBusy, ConnectReturnCode.serverUnavailable],
  [ReasonCode.banned, ConnectReturnCode.notAuthorized],
  [ReasonCode.serverShuttingDown, ConnectReturnCode.serverUnavailable],
  [ReasonCode.badAuthenticationMethod, ConnectReturnCode.badUserNameOrPassword],
  [ReasonCode.quotaExceeded, ConnectReturnCode.serverUnavailable],
  [ReasonCode.useAnotherServer, ConnectReturnCode.serverUnavailable],
  [ReasonCode.serverMoved, ConnectReturnCode.serverUnavailable],
  [ReasonCode.connectionRateExceeded, ConnectReturnCode.serverUnavailable],
]);

/**
 * The return code for a 3.x CONNACK, 0 to 5, or null when none fits: then the server closes the
 * connection without a CONNACK (MQTT-3.1.1 [MQTT-3.2.2-6]).
 */
export function reasonCodeToConnectReturnCode(reasonCode: number): number | null {
  return RETURN_CODES.get(reasonCode) ?? null;
}
