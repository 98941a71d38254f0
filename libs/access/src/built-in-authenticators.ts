import type { AuthenticationVerdict, Authenticator, Credentials } from './contract.ts';

export interface AnonymousPolicy {
  readonly remote: 'accept' | 'refuse';
  /** Through listeners that are bound to loopback only. */
  readonly loopback: 'accept' | 'refuse';
  /**
   * What becomes of a client that names a user nobody has verified. `anonymous` lets it in without
   * the name: right only where there are no passwords at all.
   */
  readonly unverifiedUser: 'anonymous' | 'refuse';
}

/** The last of a chain: lets clients in without a user name. An accepted client has no user name. */
export function createAnonymousAuthenticator(policy: AnonymousPolicy): Authenticator {
  return {
    name: 'anonymous',
    authenticate(credentials: Credentials): AuthenticationVerdict {
      if (credentials.username !== null && policy.unverifiedUser === 'refuse') {
        return { verdict: 'ignore' };
      }
      const answer = credentials.loopback ? policy.loopback : policy.remote;
      return answer === 'accept'
        ? { verdict: 'accept', username: null, superuser: false }
        : { verdict: 'ignore' };
    },
  };
}

/**
 * Takes the common name of a verified client certificate as the user name. A user name in CONNECT
 * must then be the same; clients without a certificate are left to the next authenticator.
 */
export function createCertificateAuthenticator(): Authenticator {
  return {
    name: 'certificate',
    authenticate(credentials: Credentials): AuthenticationVerdict {
      const { certificateCommonName, username } = credentials;
      if (certificateCommonName === null || certificateCommonName === '') {
        return { verdict: 'ignore' };
      }
      if (username !== null && username !== certificateCommonName) {
        return { verdict: 'reject', reason: 'badCredentials' };
      }
      return { verdict: 'accept', username: certificateCommonName, superuser: false };
    },
  };
}
