/**
 * Read, decide, write: how every registry changes a record that depends on what is there.
 *
 *     read ─▶ decide ─▶ one transaction that holds only if nothing read has changed ─▶ answer
 *       ▲                        │ lost a race
 *       └────────────────────────┘   a few times, then REGISTRY_CONTENDED
 *
 * The decision may be made several times; only the one that was written counts. A transaction whose
 * answer is lost is repeated under the same request id by the client below, so it is never carried
 * out twice.
 */

import type { CallOptions, Comparison, Operation, Revision } from '@robustmq/placement';
import { rangeOfKey } from './key-space.ts';
import type { Reading, RecordTable } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import { transactOnce } from './registry-store.ts';

/**
 * A number that the writer must still hold: the version of `key`, which counts its puts and is never
 * reset because the key is never deleted.
 */
export interface Fence {
  readonly key: string;
  readonly number: number;
}

/** What to do about what was read. */
export type Decision<Answer> =
  | { readonly kind: 'leave'; readonly answer: Answer }
  | {
      readonly kind: 'write';
      readonly operations: readonly Operation[];
      readonly fences: readonly Fence[];
      /** Others that must hold; when one does not, the decision is made anew. */
      readonly compare: readonly Comparison[];
      readonly answer: Answer;
    };

/** The record that is to change. */
interface Target<Value> {
  readonly table: RecordTable<Value>;
  readonly names: readonly string[];
  /** The record as it was once: the first attempt spares the reading. `decide` must not throw for it. */
  readonly known?: Reading<Value> | null;
}

/** LIMIT: changeAttemptsMax */
const changeAttemptsMax = 16;

/**
 * @param decide  may throw `RegistryError`, which passes through
 * @throws REGISTRY_FENCED  a fence is not at its number
 * @throws REGISTRY_CONTENDED
 */
export async function changeRecord<Value, Answer>(
  target: Target<Value>,
  decide: (reading: Reading<Value>) => Decision<Answer> | Promise<Decision<Answer>>,
  options: CallOptions,
): Promise<Answer> {
  return (await changeRecordAt(target, decide, options)).answer;
}

/** As {@link changeRecord}, with the revision of the store that holds what was decided. */
export async function changeRecordAt<Value, Answer>(
  target: Target<Value>,
  decide: (reading: Reading<Value>) => Decision<Answer> | Promise<Decision<Answer>>,
  options: CallOptions,
): Promise<{ readonly answer: Answer; readonly revision: Revision }> {
  const { table, names, known = null } = target;
  for (let attempt = 0; attempt < changeAttemptsMax; attempt += 1) {
    const reading = (attempt === 0 ? known : null) ?? (await table.read(names, options));
    const decision = await decide(reading);
    const { answer } = decision;
    if (decision.kind === 'leave') return { answer, revision: reading.revision };
    const compare = [
      table.unchanged(names, reading.stored),
      ...decision.fences.map(comparisonOf),
      ...decision.compare,
    ];
    const step = { compare, then: decision.operations };
    const { succeeded, revision } = await transactOnce(table.store, step, options);
    if (succeeded) return { answer, revision };
    for (const fence of decision.fences) await assertFence(table, fence, options);
  }
  const key = table.keyOf(names);
  throw new RegistryError({ code: 'REGISTRY_CONTENDED', key, attempts: changeAttemptsMax });
}

/** Holds while nobody has passed the fence. */
export function comparisonOf(fence: Fence): Comparison {
  return { target: 'version', key: fence.key, relation: 'equal', number: fence.number };
}

async function assertFence(
  table: RecordTable<unknown>,
  fence: Fence,
  options: CallOptions,
): Promise<void> {
  const request = {
    range: rangeOfKey(fence.key),
    limit: 1,
    content: 'keys',
    consistency: 'linearizable',
  } as const;
  const { keyValues } = await table.store.placement.range(request, options);
  const current = keyValues[0]?.version ?? 0;
  if (current === fence.number) return;
  throw new RegistryError({
    code: 'REGISTRY_FENCED',
    key: fence.key,
    offered: fence.number,
    current,
  });
}
