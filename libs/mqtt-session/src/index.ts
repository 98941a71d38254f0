export { negotiateConnect, SESSION_NEVER_EXPIRES } from './connect-negotiation.ts';
export type { ConnectionTerms, Negotiation, ServerOffer } from './connect-negotiation.ts';
export { authenticationMethodOf, judgeAuth } from './enhanced-authentication.ts';
export type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
  AuthVerdict,
} from './enhanced-authentication.ts';
export { InboundReceipts } from './inbound-receipts.ts';
export { ExchangeState, OutboundWindow } from './outbound-window.ts';
export {
  keepAliveDeadlineMs,
  sessionExpiresAtMs,
  sessionExpiryAtDisconnect,
  willDelayMs,
} from './session-expiry.ts';
export type { DisconnectExpiry } from './session-expiry.ts';
export { InboundAliases, OutboundAliases } from './topic-aliases.ts';
