import { filterCovers, filterMatchesTopic, filtersOverlap } from '@robustmq/topic';
import type { AccessAction, AccessVerdict, ClientIdentity } from './contract.ts';
import { filterFor, type Rule } from './rule.ts';

/** A rule with its place in the order. */
interface PlacedRule {
  readonly rule: Rule;
  readonly place: number;
}

/** The place of a list's end: after every rule. */
const NO_PLACE = Number.POSITIVE_INFINITY;
const NO_RULES: readonly PlacedRule[] = [];

/**
 * Rules in an order, looked up by subject: a client is compared with the rules about its user name,
 * about its client identifier, and about nobody in particular, merged by their places; a file with
 * ten thousand users costs each of them its own few rules.
 */
export class RuleSet {
  readonly #general: PlacedRule[] = [];
  readonly #byUsername = new Map<string, PlacedRule[]>();
  readonly #byClientId = new Map<string, PlacedRule[]>();

  constructor(rules: readonly Rule[]) {
    for (const [place, rule] of rules.entries()) {
      this.#listFor(rule).push({ rule, place });
    }
  }

  /** The verdict of the first rule that decides; `ignore` when none does. */
  decide(client: ClientIdentity, action: AccessAction, topic: string): AccessVerdict {
    const general = this.#general;
    const { username, clientId } = client;
    const ofUser = (username === null ? undefined : this.#byUsername.get(username)) ?? NO_RULES;
    const ofClient = this.#byClientId.get(clientId) ?? NO_RULES;
    let [inGeneral, inUser, inClient] = [0, 0, 0];
    for (;;) {
      const nextGeneral = general[inGeneral];
      const nextUser = ofUser[inUser];
      const nextClient = ofClient[inClient];
      const first = earliest(earliest(nextGeneral, nextUser), nextClient);
      if (first === undefined) return 'ignore';
      if (first === nextGeneral) inGeneral += 1;
      else if (first === nextUser) inUser += 1;
      else inClient += 1;
      if (decides(first.rule, client, action, topic)) return first.rule.verdict;
    }
  }

  #listFor(rule: Rule): PlacedRule[] {
    const { subject } = rule;
    if (subject.kind === 'user') return listAt(this.#byUsername, subject.username);
    if (subject.kind === 'client') return listAt(this.#byClientId, subject.clientId);
    return this.#general;
  }
}

function listAt(lists: Map<string, PlacedRule[]>, key: string): PlacedRule[] {
  const existing = lists.get(key);
  if (existing !== undefined) return existing;
  const made: PlacedRule[] = [];
  lists.set(key, made);
  return made;
}

function earliest(
  left: PlacedRule | undefined,
  right: PlacedRule | undefined,
): PlacedRule | undefined {
  return (left?.place ?? NO_PLACE) <= (right?.place ?? NO_PLACE) ? left : right;
}

/**
 * Whether the rule settles the question. A subscription is granted by a rule that shares a topic name
 * with it, and refused by one that leaves it none; in between, each message is asked about by itself.
 */
function decides(rule: Rule, client: ClientIdentity, action: AccessAction, topic: string): boolean {
  if (rule.action !== 'all' && (rule.action === 'publish') !== (action === 'publish')) return false;
  if (rule.subject.kind === 'anonymous' && client.username !== null) return false;
  const filter = filterFor(rule.filter, client);
  if (filter === null) return false;
  if (action !== 'subscribe') return filterMatchesTopic(filter, topic);
  return rule.verdict === 'allow' ? filtersOverlap(filter, topic) : filterCovers(filter, topic);
}
