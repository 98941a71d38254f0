import type {
  AccessAction,
  AccessVerdict,
  AuthenticationVerdict,
  Authenticator,
  Authorizer,
  ClientIdentity,
  Credentials,
} from './contract.ts';

/**
 * Asks authenticators in order; the first that does not ignore the client decides. When all do, the
 * client is refused. Answers at once as long as its members do.
 */
export function createAuthenticatorChain(authenticators: readonly Authenticator[]): Authenticator {
  return {
    name: 'chain',
    authenticate: (credentials) => authenticateFrom(authenticators, 0, credentials),
  };
}

function authenticateFrom(
  authenticators: readonly Authenticator[],
  first: number,
  credentials: Credentials,
): AuthenticationVerdict | Promise<AuthenticationVerdict> {
  for (const [index, authenticator] of authenticators.entries()) {
    if (index < first) continue;
    const verdict = authenticator.authenticate(credentials);
    if (verdict instanceof Promise) {
      return verdict.then((settled) =>
        settled.verdict === 'ignore'
          ? authenticateFrom(authenticators, index + 1, credentials)
          : settled,
      );
    }
    if (verdict.verdict !== 'ignore') return verdict;
  }
  const reason = credentials.username === null ? 'notAuthorized' : 'badCredentials';
  return { verdict: 'reject', reason };
}

/**
 * Asks authorisers in order; the first that does not ignore the question decides, else
 * `defaultVerdict` holds. Its revision is the sum of theirs, so it grows when one of them does.
 */
export function createAuthorizerChain(
  authorizers: readonly Authorizer[],
  defaultVerdict: 'allow' | 'deny',
): Authorizer {
  return {
    name: 'chain',
    get revision(): number {
      return authorizers.reduce((sum, authorizer) => sum + authorizer.revision, 0);
    },
    authorize(client: ClientIdentity, action: AccessAction, topic: string): AccessVerdict {
      for (const authorizer of authorizers) {
        const verdict = authorizer.authorize(client, action, topic);
        if (verdict !== 'ignore') return verdict;
      }
      return defaultVerdict;
    },
  };
}
