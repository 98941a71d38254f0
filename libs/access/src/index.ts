export type { AccessFault } from './access-fault.ts';
export { describeAccessFault } from './access-fault.ts';
export type { AnonymousPolicy } from './built-in-authenticators.ts';
export {
  createAnonymousAuthenticator,
  createCertificateAuthenticator,
} from './built-in-authenticators.ts';
export { createAuthenticatorChain, createAuthorizerChain } from './chain.ts';
export type {
  AccessAction,
  AccessVerdict,
  AuthenticationVerdict,
  Authenticator,
  Authorizer,
  ClientIdentity,
  Credentials,
} from './contract.ts';
export type {
  PasswordFileAuthenticator,
  PasswordFileLimits,
  PasswordFileSummary,
} from './password-authenticator.ts';
export { DEFAULT_PASSWORD_FILE_LIMITS, openPasswordFile } from './password-authenticator.ts';
export { deletePassword, setPassword } from './password-file-edit.ts';
export type { RulesFileAuthorizer, RulesFileSummary } from './rules-authorizer.ts';
export { openRulesFile } from './rules-authorizer.ts';
export type { RulesFormat } from './rules-file.ts';
