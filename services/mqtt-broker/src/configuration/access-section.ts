import { booleanKey, choiceKey, textKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[auth]`: who may connect, and who may do what. */
export interface AccessSection {
  readonly allow_anonymous_loopback: boolean;
  readonly allow_anonymous_remote: boolean;
  readonly password_file: string;
  readonly rules_file: string;
  readonly default_verdict: 'allow' | 'deny';
  readonly certificate_as_username: boolean;
  readonly sys_topics_for_anonymous_remote: boolean;
}

export const accessSection: SectionDeclaration<AccessSection> = {
  kind: 'section',
  name: 'auth',
  meaning: 'Who may connect, and who may do what. There is no built-in account.',
  keys: {
    allow_anonymous_loopback: booleanKey({
      default: true,
      meaning: 'Whether clients on this machine may connect without a user name.',
      reason: 'So that the first steps work. Turn it off on machines with users you do not trust.',
    }),
    allow_anonymous_remote: booleanKey({
      default: false,
      meaning: 'Whether clients on other machines may connect without a user name.',
      reason: 'Open brokers are found within hours. True is right only in a closed network.',
    }),
    password_file: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'Users and password hashes; written by `robustctl passwd FILE USER`. Empty: none.',
      reason: 'Nobody has an account before you make one. Read again on SIGHUP.',
    }),
    rules_file: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'The access rules: who may publish and subscribe where. Empty: none.',
      reason: 'Without rules default_verdict holds for everybody. Read again on SIGHUP.',
    }),
    default_verdict: choiceKey({
      default: 'allow',
      choices: ['allow', 'deny'],
      meaning: 'What holds when no rule matches.',
      reason: 'Whoever may connect may use topics until you write rules; then choose "deny".',
    }),
    certificate_as_username: booleanKey({
      default: false,
      meaning: 'Whether the common name of a verified client certificate is the user name.',
      reason: 'Then a certificate is a login; the authority must not sign for anybody else.',
    }),
    sys_topics_for_anonymous_remote: booleanKey({
      default: false,
      meaning: 'Whether clients on other machines may read $SYS without a user name.',
      reason:
        'Who is connected and how much is nothing for strangers. Others are judged by the rules.',
    }),
  },
};
