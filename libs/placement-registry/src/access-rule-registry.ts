/**
 * What users and clients may do.
 *
 * Key: `access-rules/{subject}/{name}/{action}/{permission}/{topic}/{address}`: a rule is its content,
 * so saving it twice changes nothing. Value: {@link AccessRule}. The order in which rules are weighed is
 * the broker's business.
 */

import { RecordRegistry } from './record-registry.ts';
import { fields, oneOf, text } from './record-shape.ts';
import type { RegistryStore } from './registry-store.ts';

/** What a rule speaks about. */
export const ACCESS_ACTIONS = ['all', 'subscribe', 'publish', 'pubsub', 'retain', 'qos'] as const;

/** One rule. */
export interface AccessRule {
  readonly subject: 'user' | 'clientId';
  /** Of the subject; `*` stands for every one. */
  readonly name: string;
  readonly action: (typeof ACCESS_ACTIONS)[number];
  readonly permission: 'allow' | 'deny';
  /** A topic filter; `*` stands for every topic. */
  readonly topic: string;
  /** An address or a network; `*` stands for every one. */
  readonly address: string;
}

/** The rules of one cluster. */
export function accessRuleRegistry(store: RegistryStore): RecordRegistry<AccessRule> {
  return new RecordRegistry(store, {
    registry: 'access-rules',
    shape: fields<AccessRule>({
      subject: oneOf(['user', 'clientId']),
      name: text,
      action: oneOf(ACCESS_ACTIONS),
      permission: oneOf(['allow', 'deny']),
      topic: text,
      address: text,
    }),
    namesOf: accessRuleNames,
  });
}

/** The names in the key of a rule, in order. */
export function accessRuleNames(rule: AccessRule): readonly string[] {
  return [rule.subject, rule.name, rule.action, rule.permission, rule.topic, rule.address];
}
