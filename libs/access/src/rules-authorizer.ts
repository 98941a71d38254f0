import { fail, type Result, succeed } from '@robustmq/errors';
import { type AccessFault, malformed, readAccessFile } from './access-fault.ts';
import type { AccessAction, AccessVerdict, Authorizer, ClientIdentity } from './contract.ts';
import { RuleSet } from './rule-set.ts';
import { parseRulesFile, type RulesFormat } from './rules-file.ts';

export interface RulesFileSummary {
  readonly file: string;
  readonly format: RulesFormat;
  readonly ruleCount: number;
}

/** Reads the file for the first time. */
export async function openRulesFile(
  file: string,
): Promise<Result<RulesFileAuthorizer, AccessFault>> {
  const authorizer = new RulesFileAuthorizer(file);
  const loaded = await authorizer.reload();
  return loaded.ok ? succeed(authorizer) : loaded;
}

/**
 * Answers by a rules file: the first rule that matches decides.
 *
 * `publish` and `receive` look for a rule whose filter matches the topic name. `subscribe` takes the
 * filter without a share prefix: it is allowed by an allow rule that overlaps it, denied by a deny
 * rule that covers it; a narrower denial leaves the subscription and takes effect with `receive`.
 */
export class RulesFileAuthorizer implements Authorizer {
  readonly name = 'rulesFile';
  readonly #file: string;
  #revision = 0;
  #rules: RuleSet = new RuleSet([]);
  #otherwise: 'ignore' | 'deny' = 'deny';
  #ruleCount = 0;

  /** Use `openRulesFile`: without a first `reload` everything is denied. */
  constructor(file: string) {
    this.#file = file;
  }

  get revision(): number {
    return this.#revision;
  }

  /** The file says nothing at all: every question is left to the chain's default. */
  get isEmpty(): boolean {
    return this.#ruleCount === 0 && this.#otherwise === 'ignore';
  }

  /** Reads the file again. On a fault the rules from before hold and the revision stays. */
  async reload(): Promise<Result<RulesFileSummary, AccessFault>> {
    const text = await readAccessFile(this.#file);
    if (!text.ok) return text;
    const parsed = parseRulesFile(text.value);
    if (!parsed.ok) return fail(malformed(this.#file, parsed.fault));
    const { format, rules, otherwise } = parsed.value;
    this.#rules = new RuleSet(rules);
    this.#otherwise = otherwise;
    this.#ruleCount = rules.length;
    this.#revision += 1;
    return succeed({ file: this.#file, format, ruleCount: rules.length });
  }

  authorize(client: ClientIdentity, action: AccessAction, topic: string): AccessVerdict {
    const verdict = this.#rules.decide(client, action, topic);
    return verdict === 'ignore' ? this.#otherwise : verdict;
  }
}
