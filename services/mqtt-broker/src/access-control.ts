import type {
  AuthenticationVerdict,
  Authenticator,
  Authorizer,
  ClientIdentity,
  Credentials,
} from '@robustmq/access';
import type { Connect } from '@robustmq/mqtt-codec';
import { type ByteConnection, isLoopbackAddress } from '@robustmq/transport';

/** What decides: made once at the start; the files behind it may be read again. */
export interface AccessParts {
  /** Chain of all authenticators: its last word is yes or no, never `ignore`. */
  readonly authenticator: Authenticator;
  /** `named`: a client that sends a user name may have to wait for a key derivation. */
  readonly waiting: 'named' | 'never';
  /** Chain of all authorisers, the default verdict included. */
  readonly authorizer: Authorizer;
  /** Who may read `$SYS`: everybody, or whoever has a user name or is on this machine. */
  readonly sysReaders: 'everybody' | 'known';
}

/**
 * What the broker asks before a client may connect, publish, subscribe or receive.
 *
 * `revision` and `unrestricted` are read for every message, so they are plain fields that
 * `rulesRead` sets.
 */
export class AccessControl {
  readonly #parts: AccessParts;
  /** Grows when a verdict about a topic may have changed. */
  revision = 0;
  /** True when no rule can refuse anything: the hot path asks nothing. */
  unrestricted: boolean;

  constructor(parts: AccessParts, scope: 'unrestricted' | 'restricted') {
    this.#parts = parts;
    this.unrestricted = scope === 'unrestricted';
  }

  /** The rules were read again: verdicts from before are void. */
  rulesRead(scope: 'unrestricted' | 'restricted'): void {
    this.unrestricted = scope === 'unrestricted';
    this.revision += 1;
  }

  credentialsOf(transport: ByteConnection, connect: Connect): Credentials {
    return {
      clientId: connect.clientId,
      username: connect.username,
      password: connect.password,
      remoteAddress: transport.remoteAddress,
      certificateCommonName: transport.clientCertificate?.commonName ?? null,
      listenerName: transport.listener.name,
      // A PROXY header may tell of a client elsewhere, behind a balancer on this machine.
      loopback: transport.listener.loopback && isLoopbackAddress(transport.remoteAddress),
    };
  }

  /** The verdict at once when no password has to be checked: a connect storm waits for nobody. */
  authenticateNow(transport: ByteConnection, connect: Connect): AuthenticationVerdict | null {
    if (this.#parts.waiting === 'named' && connect.username !== null) return null;
    const verdict = this.#parts.authenticator.authenticate(this.credentialsOf(transport, connect));
    return verdict instanceof Promise ? null : verdict;
  }

  async authenticate(credentials: Credentials): Promise<AuthenticationVerdict> {
    return this.#parts.authenticator.authenticate(credentials);
  }

  mayPublish(client: ClientIdentity, topic: string): boolean {
    return this.#parts.authorizer.authorize(client, 'publish', topic) === 'allow';
  }

  mayReceive(client: ClientIdentity, topic: string): boolean {
    if (!this.#mayReadSys(client, topic)) return false;
    return this.#parts.authorizer.authorize(client, 'receive', topic) === 'allow';
  }

  /** @param filter  without its share prefix */
  maySubscribe(client: ClientIdentity, filter: string): boolean {
    if (!this.#mayReadSys(client, filter)) return false;
    if (this.unrestricted) return true;
    return this.#parts.authorizer.authorize(client, 'subscribe', filter) === 'allow';
  }

  /** The figures tell a stranger more than it needs. No filter but one that begins so matches them. */
  #mayReadSys(client: ClientIdentity, name: string): boolean {
    if (!name.startsWith('$SYS/') || this.#parts.sysReaders === 'everybody') return true;
    return client.username !== null || isLoopbackAddress(client.remoteAddress);
  }
}
