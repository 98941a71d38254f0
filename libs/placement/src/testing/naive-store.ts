/** The store again, as plainly as it can be said: what the state machine is compared with. */
import type { Command, CommandRefusal, CommandResult } from '../command.ts';
import type { LeaseId, Revision } from '../identifiers.ts';
import type { KeyEvent, KeyRange, KeyValue } from '../key-value.ts';
import type { StateMachineLimits } from '../limits.ts';
import type { Comparison, Operation, OperationResult, Transaction } from '../transaction.ts';

type Keys = Map<string, KeyValue>;

const encoder = new TextEncoder();

function order(left: string, right: string): number {
  return compareBytes(encoder.encode(left), encoder.encode(right));
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const text = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => String.fromCharCode(byte)).join('');
  const [a, b] = [text(left), text(right)];
  return a < b ? -1 : Number(a > b);
}

function inRange(range: KeyRange, key: string): boolean {
  return order(range.first, key) <= 0 && (range.after === null || order(key, range.after) < 0);
}

export class NaiveStore {
  readonly #limits: StateMachineLimits;
  #keys: Keys = new Map();
  #leases = new Map<LeaseId, number>();
  #outcomes: [name: string, result: CommandResult][] = [];
  #nextLease = 1;
  revision = 0;
  compacted = 0;
  history: { revision: number; events: KeyEvent[] }[] = [];

  constructor(limits: StateMachineLimits) {
    this.#limits = limits;
  }

  get keyValues(): readonly KeyValue[] {
    return [...this.#keys.values()].sort((left, right) => order(left.key, right.key));
  }

  get leases(): readonly number[] {
    return [...this.#leases.keys()].sort((left, right) => left - right);
  }

  apply(command: Command): CommandResult {
    const saved = [new Map(this.#keys), new Map(this.#leases), this.#nextLease] as const;
    const events: KeyEvent[] = [];
    const known = this.#known(command);
    if (known !== null) return known;
    const result = this.#carryOut(command, events);
    if (result.kind === 'refused') {
      [this.#keys, this.#leases, this.#nextLease] = saved;
      return result;
    }
    if (events.length > 0) {
      this.revision += 1;
      this.history.push({ revision: this.revision, events });
    }
    const told = withRevision(result, this.revision as Revision);
    this.#remember(command, told);
    this.#bound();
    return told;
  }

  #bound(): void {
    const max = this.#limits.historyRevisionsMax;
    if (this.revision - this.compacted > max + Math.floor(max / 16))
      this.#compact(this.revision - max);
  }

  #compact(revision: number): void {
    this.compacted = revision;
    this.history = this.history.filter((each) => each.revision > revision);
  }

  #nameOf(command: Command): string | null {
    if (command.kind === 'grantLease' && command.requestId !== null) return `g${command.requestId}`;
    const id = command.kind === 'transact' ? command.transaction.requestId : null;
    return id === null ? null : `t${id}`;
  }

  #known(command: Command): CommandResult | null {
    const name = this.#nameOf(command);
    const found = this.#outcomes.find(([each]) => each === name)?.[1];
    if (found === undefined) return null;
    if (found.kind === 'transacted') {
      return { kind: 'transacted', result: { ...found.result, results: [], repeated: true } };
    }
    if (command.kind !== 'grantLease' || found.kind !== 'leaseGranted') throw new Error('mixed up');
    return { ...found, ttlSeconds: command.ttlSeconds, repeated: true };
  }

  #remember(command: Command, result: CommandResult): void {
    const name = this.#nameOf(command);
    if (name === null) return;
    this.#outcomes.push([name, result]);
    this.#outcomes = this.#outcomes.slice(-this.#limits.outcomesMax);
  }

  #carryOut(command: Command, events: KeyEvent[]): CommandResult {
    switch (command.kind) {
      case 'transact':
        return this.#transact(command.transaction, events);
      case 'grantLease': {
        const id = command.id ?? (this.#nextLease as LeaseId);
        if (this.#leases.size >= this.#limits.leasesMax) {
          return refused({ code: 'LEASES_FULL', limit: this.#limits.leasesMax });
        }
        if (this.#leases.has(id)) return refused({ code: 'LEASE_EXISTS', lease: id });
        this.#leases.set(id, command.ttlSeconds);
        this.#nextLease = Math.max(this.#nextLease, id + 1);
        const { ttlSeconds } = command;
        return { kind: 'leaseGranted', id, ttlSeconds, revision: 0 as Revision, repeated: false };
      }
      case 'revokeLease': {
        if (!this.#leases.has(command.id)) {
          return refused({ code: 'LEASE_NOT_FOUND', lease: command.id });
        }
        const held = this.keyValues.filter((each) => each.lease === command.id);
        const piece = held.slice(0, this.#limits.touchedKeysMax);
        for (const { key } of piece) this.#delete(key, events);
        const more = piece.length < held.length;
        if (more) this.#leases.set(command.id, 0);
        else this.#leases.delete(command.id);
        return { kind: 'leaseRevoked', revision: 0 as Revision, deleted: piece.length, more };
      }
      case 'compact':
        return this.#compactOrRefuse(command.revision);
    }
  }

  #compactOrRefuse(requested: Revision): CommandResult {
    if (requested > this.revision) {
      const current = this.revision as Revision;
      return refused({ code: 'REVISION_FUTURE', requested, current });
    }
    if (requested <= this.compacted) {
      const oldest = (this.compacted + 1) as Revision;
      return refused({ code: 'REVISION_COMPACTED', requested, oldest });
    }
    this.#compact(requested);
    return { kind: 'compacted', revision: requested };
  }

  #transact(transaction: Transaction, events: KeyEvent[]): CommandResult {
    const { touchedKeysMax: limit, touchedBytesMax: bytesLimit } = this.#limits;
    const touched = this.#touched(transaction.then) + this.#touched(transaction.otherwise);
    if (touched > limit) return refused({ code: 'TOO_MANY_KEYS', limit, bytesLimit });
    const succeeded = transaction.compare.every((each) => this.#holds(each));
    const operations = succeeded ? transaction.then : transaction.otherwise;
    const puts = operations.flatMap((each) => (each.kind === 'put' ? [each] : []));
    const deletes = operations.flatMap((each) => (each.kind === 'delete' ? [each] : []));
    const names = puts.map((put) => put.key);
    const twice =
      names.find((name, at) => names.indexOf(name) !== at) ??
      deletes.flatMap(({ range }) => names.filter((name) => inRange(range, name)))[0];
    if (twice !== undefined) return refused({ code: 'KEY_TWICE', key: twice });
    const orphan = puts.find(({ lease }) => lease !== null && !this.#leases.get(lease));
    if (orphan !== undefined) {
      return refused({ code: 'LEASE_NOT_FOUND', lease: orphan.lease as LeaseId });
    }
    const results = operations.map((operation) => this.#operate(operation, events));
    const revision = 0 as Revision;
    return { kind: 'transacted', result: { revision, succeeded, results, repeated: false } };
  }

  /** The keys that stand in the ranges of several keys; of a read with a limit, those it may come to. */
  #touched(operations: readonly Operation[]): number {
    let touched = 0;
    let deletedBefore = 0;
    for (const operation of operations) {
      if (operation.kind === 'put') continue;
      const { range } = operation;
      const isSingle = range.after === `${range.first}\0`;
      const standing = this.keyValues.filter((each) => inRange(range, each.key)).length;
      const hasLimit = operation.kind === 'range' && operation.content !== 'count';
      const wanted = hasLimit ? (operation.limit || 10_000) + 1 + deletedBefore : Infinity;
      if (!isSingle) touched += Math.min(standing, wanted);
      if (operation.kind === 'delete' && order(range.first, range.after ?? '\u{10ffff}') < 0) {
        deletedBefore += isSingle ? 1 : Infinity;
      }
    }
    return touched;
  }

  #holds(comparison: Comparison): boolean {
    const found = this.#keys.get(comparison.key);
    if (comparison.target === 'lease') return (found?.lease ?? null) === comparison.lease;
    if (comparison.target === 'value' && found === undefined) return false;
    const difference =
      comparison.target === 'value'
        ? compareBytes((found as KeyValue).value, comparison.value)
        : (found?.[comparison.target] ?? 0) - comparison.number;
    if (comparison.relation === 'equal') return difference === 0;
    if (comparison.relation === 'notEqual') return difference !== 0;
    return comparison.relation === 'less' ? difference < 0 : difference > 0;
  }

  #operate(operation: Operation, events: KeyEvent[]): OperationResult {
    if (operation.kind === 'put') {
      const { key, value, lease } = operation;
      const previous = this.#keys.get(key) ?? null;
      const modRevision = (this.revision + 1) as Revision;
      const createRevision = previous?.createRevision ?? modRevision;
      const version = (previous?.version ?? 0) + 1;
      const keyValue = { key, value, createRevision, modRevision, version, lease };
      this.#keys.set(key, keyValue);
      events.push({ kind: 'put', keyValue });
      return { kind: 'put', previous };
    }
    const found = this.keyValues.filter((each) => inRange(operation.range, each.key));
    if (operation.kind === 'delete') {
      for (const { key } of found) this.#delete(key, events);
      return { kind: 'delete', deleted: found.length };
    }
    if (operation.content === 'count') {
      return { kind: 'range', keyValues: [], count: found.length, more: false };
    }
    const told = operation.limit === 0 ? found : found.slice(0, operation.limit);
    const keyValues =
      operation.content === 'whole'
        ? told
        : told.map((each) => ({ ...each, value: new Uint8Array(0) }));
    return { kind: 'range', keyValues, count: told.length, more: told.length < found.length };
  }

  #delete(key: string, events: KeyEvent[]): void {
    this.#keys.delete(key);
    events.push({ kind: 'delete', key, modRevision: (this.revision + 1) as Revision });
  }
}

function refused(refusal: CommandRefusal): CommandResult {
  return { kind: 'refused', refusal };
}

function withRevision(result: CommandResult, revision: Revision): CommandResult {
  switch (result.kind) {
    case 'transacted':
      return { kind: 'transacted', result: { ...result.result, revision } };
    case 'leaseGranted':
    case 'leaseRevoked':
      return { ...result, revision };
    default:
      return result;
  }
}
