import type {
  AuthenticationVerdict,
  Authenticator,
  Authorizer,
  ClientIdentity,
  Credentials,
} from '@robustmq/access';
import type { Connect } from '@robustmq/mqtt-codec';
import type { ByteConnection } from '@robustmq/transport';
import type { AccessSettings } from './settings.ts';

/** Chains of authenticators and authorisers with the broker's settings for what none of them knows. */
export class AccessControl {
  readonly #authenticators: readonly Authenticator[];
  readonly #authorizers: readonly Authorizer[];
  readonly #settings: AccessSettings;

  constructor(
    authenticators: readonly Authenticator[],
    authorizers: readonly Authorizer[],
    settings: AccessSettings,
  ) {
    this.#authenticators = authenticators;
    this.#authorizers = authorizers;
    this.#settings = settings;
  }

  /** Grows when a verdict may have changed. */
  get revision(): number {
    let revision = 0;
    for (const authorizer of this.#authorizers) revision += authorizer.revision;
    return revision;
  }

  /** True when no rule can refuse anything: the hot path asks nothing. */
  get unrestricted(): boolean {
    return this.#authorizers.length === 0 && this.#settings.defaultVerdict === 'allow';
  }

  credentialsOf(transport: ByteConnection, connect: Connect): Credentials {
    return {
      clientId: connect.clientId,
      username: connect.username,
      password: connect.password,
      remoteAddress: transport.remoteAddress,
      certificateCommonName: transport.clientCertificate?.commonName ?? null,
      listenerName: transport.listener.name,
      loopback: transport.listener.loopback,
    };
  }

  /** The verdict at once when no authenticator has to be asked: a connect storm waits for nobody. */
  authenticateNow(transport: ByteConnection, connect: Connect): AuthenticationVerdict | null {
    if (this.#authenticators.length > 0) return null;
    return this.#withoutAuthenticator(this.credentialsOf(transport, connect));
  }

  async authenticate(credentials: Credentials): Promise<AuthenticationVerdict> {
    for (const authenticator of this.#authenticators) {
      const verdict = await authenticator.authenticate(credentials);
      if (verdict.verdict !== 'ignore') return verdict;
    }
    return this.#withoutAuthenticator(credentials);
  }

  mayPublish(client: ClientIdentity, topic: string): boolean {
    return this.#decide(client, 'publish', topic);
  }

  mayReceive(client: ClientIdentity, topic: string): boolean {
    return this.#decide(client, 'receive', topic);
  }

  maySubscribe(client: ClientIdentity, filter: string): boolean {
    return this.#decide(client, 'subscribe', filter);
  }

  /** Nobody knew the user: named users need an authenticator, anonymous ones the listener's leave. */
  #withoutAuthenticator(credentials: Credentials): AuthenticationVerdict {
    if (this.#settings.certificateAsUsername && credentials.certificateCommonName !== null) {
      return { verdict: 'accept', username: credentials.certificateCommonName, superuser: false };
    }
    const anonymousAllowed = credentials.loopback
      ? this.#settings.allowAnonymousLoopback
      : this.#settings.allowAnonymousRemote;
    if (this.#authenticators.length > 0 && credentials.username !== null) {
      return { verdict: 'reject', reason: 'badCredentials' };
    }
    if (!anonymousAllowed) return { verdict: 'reject', reason: 'notAuthorized' };
    return { verdict: 'accept', username: credentials.username, superuser: false };
  }

  #decide(client: ClientIdentity, action: 'publish' | 'subscribe' | 'receive', topic: string): boolean {
    for (const authorizer of this.#authorizers) {
      const verdict = authorizer.authorize(client, action, topic);
      if (verdict !== 'ignore') return verdict === 'allow';
    }
    return this.#settings.defaultVerdict === 'allow';
  }
}
