/** Commands for tests of the store, and the entries of a log that hold them. */
import { SeededRandom } from '@robustmq/environment';
import {
  type Command,
  type CommandResult,
  DEFAULT_STATE_MACHINE_LIMITS,
  encodeCommand,
  type LeaseId,
  type Operation,
  type Revision,
  singleKeyRange,
  type StateMachineLimits,
} from '@robustmq/placement';
import type { DataEntry, LogIndex, Term } from '@robustmq/raft';
import type { PlacementStore } from '../placement-store.ts';

/** Small, so that few commands reach them. */
export const LIMITS_FOR_TESTS: StateMachineLimits = {
  ...DEFAULT_STATE_MACHINE_LIMITS,
  historyRevisionsMax: 100,
  outcomesMax: 20,
  touchedKeysMax: 30,
};

export function put(key: string, text: string, lease: number | null = null): Operation {
  return {
    kind: 'put',
    key,
    value: new TextEncoder().encode(text),
    lease: lease as LeaseId | null,
  };
}

export function transact(...then: readonly Operation[]): Command {
  return { kind: 'transact', transaction: { compare: [], then, otherwise: [], requestId: null } };
}

export function grant(ttlSeconds: number): Command {
  return { kind: 'grantLease', id: null, ttlSeconds, requestId: null };
}

/** Entries with the indexes after `applied`. */
export function entriesOf(commands: readonly Command[], applied: LogIndex): DataEntry[] {
  return commands.map((command, at) => ({
    kind: 'data',
    term: 1 as Term,
    index: (applied + 1 + at) as LogIndex,
    data: encodeCommand(command),
  }));
}

/** Applies the commands as the next entries, in one batch. */
export function apply(
  store: PlacementStore,
  ...commands: readonly Command[]
): Promise<readonly CommandResult[]> {
  const entries = entriesOf(commands, store.appliedIndex);
  return store.apply(entries, (store.appliedIndex + commands.length) as LogIndex);
}

/** The same commands for the same seed: over few keys, leases and request ids, so that they meet. */
export function randomCommands(seed: number, count: number): readonly Command[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => randomCommand(random));
}

function randomCommand(random: SeededRandom): Command {
  const kind = random.below(16);
  const id = (1 + random.below(6)) as LeaseId;
  if (kind === 0) return { kind: 'revokeLease', id, reason: 'expired' };
  if (kind === 1) return { kind: 'compact', revision: random.below(200) as Revision };
  const requestId = random.below(3) === 0 ? `r${random.below(40)}` : null;
  if (kind < 4)
    return { kind: 'grantLease', id: null, ttlSeconds: 1 + random.below(60), requestId };
  const operations = Array.from({ length: 1 + random.below(4) }, () => randomOperation(random));
  const key = randomKey(random);
  const number = random.below(3);
  return {
    kind: 'transact',
    transaction: {
      compare: [{ target: 'version', key, relation: 'notEqual', number }],
      then: operations,
      otherwise: [randomOperation(random)],
      requestId,
    },
  };
}

function randomOperation(random: SeededRandom): Operation {
  const key = randomKey(random);
  const kind = random.below(8);
  if (kind === 0) return { kind: 'delete', range: singleKeyRange(key) };
  const range = { first: key, after: random.below(4) === 0 ? null : randomKey(random) };
  if (kind === 1) return { kind: 'delete', range };
  if (kind === 2) return { kind: 'range', range, limit: random.below(5), content: 'whole' };
  if (kind === 3) return { kind: 'range', range, limit: 0, content: 'count' };
  const lease = random.below(3) === 0 ? 1 + random.below(6) : null;
  return put(key, 'v'.repeat(random.below(50)), lease);
}

function randomKey(random: SeededRandom): string {
  const letters = ['a', 'b', '/', '\u{e9}', '\u{ffff}', '\u{1f600}'];
  const length = 1 + random.below(3);
  return Array.from({ length }, () => letters[random.below(letters.length)]).join('');
}
