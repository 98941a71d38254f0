export type {
  AccessAction,
  AccessVerdict,
  AuthenticationVerdict,
  Authenticator,
  Authorizer,
  ClientIdentity,
  Credentials,
} from './contract.ts';
