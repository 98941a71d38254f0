/** Who asks to connect, as far as the transport and the protocol know it. */
export interface Credentials {
  readonly clientId: string;
  /** null when the client sent none. */
  readonly username: string | null;
  readonly password: Uint8Array | null;
  readonly remoteAddress: string;
  readonly certificateCommonName: string | null;
  readonly listenerName: string;
  /** Whether the listener it came through is bound to loopback only. */
  readonly loopback: boolean;
}

/** Who a connected client is: what rules are written about. */
export interface ClientIdentity {
  readonly clientId: string;
  readonly username: string | null;
  readonly remoteAddress: string;
}

/** `ignore`: this authenticator does not know the user; the next in the chain is asked. */
export type AuthenticationVerdict =
  | { readonly verdict: 'accept'; readonly username: string | null; readonly superuser: boolean }
  | { readonly verdict: 'reject'; readonly reason: 'badCredentials' | 'notAuthorized' | 'busy' }
  | { readonly verdict: 'ignore' };

/** One authenticator of a chain. Asynchronous ones carry their own deadline. */
export interface Authenticator {
  readonly name: string;
  authenticate(credentials: Credentials): AuthenticationVerdict | Promise<AuthenticationVerdict>;
}

export type AccessAction = 'publish' | 'subscribe' | 'receive';
export type AccessVerdict = 'allow' | 'deny' | 'ignore';

/**
 * One authoriser of a chain. Synchronous: it is on the path of every message (the broker caches the
 * verdict per client and topic until `revision` changes).
 *
 * `publish` and `receive` ask about a topic name; `subscribe` asks about a topic filter and must
 * deny it when a rule denies the filter as such; messages are checked again one by one with `receive`.
 */
export interface Authorizer {
  readonly name: string;
  /** Grows whenever a verdict may have changed. */
  readonly revision: number;
  authorize(client: ClientIdentity, action: AccessAction, topic: string): AccessVerdict;
}
