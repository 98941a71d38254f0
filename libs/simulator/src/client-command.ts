/** What the simulated clients ask, as commands of the placement center. */
import {
  type Command,
  type CommandResult,
  type LeaseId,
  singleKeyRange,
  type Transaction,
} from '@robustmq/placement';
import type { Operation, Value } from './history.ts';

export type WriteOperation = Exclude<Operation, { readonly kind: 'get' }>;

/** A write with the request id under which it is applied once, however often it is sent. */
export function commandFor(operation: WriteOperation, requestId: string): Command {
  const { compare, then } = transactionFor(operation);
  return { kind: 'transact', transaction: { compare, then, otherwise: [], requestId } };
}

/** What a client concludes from the outcome: a repeated one tells no more than `succeeded`. */
export function resultFor(operation: WriteOperation, outcome: CommandResult): Value {
  if (outcome.kind !== 'transacted') throw new TypeError(`a write ended as ${outcome.kind}`);
  if (operation.kind === 'put') return operation.value;
  return outcome.result.succeeded ? 1 : 0;
}

export function putUnderLease(
  key: string,
  value: Value,
  lease: LeaseId,
  requestId: string,
): Command {
  const put = { kind: 'put', key, value: bytesOf(value), lease } as const;
  return {
    kind: 'transact',
    transaction: { compare: [], then: [put], otherwise: [], requestId },
  };
}

/** By which name a node knows who waits for the command; null: nobody does. */
export function requestNameOf(command: Command): string | null {
  switch (command.kind) {
    case 'transact':
      return command.transaction.requestId;
    case 'grantLease':
      return command.requestId;
    case 'revokeLease':
      return command.reason === 'asked' ? `revoke ${command.id}` : null;
    case 'compact':
      return null;
  }
}

export function bytesOf(value: Value): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function valueOf(bytes: Uint8Array): Value {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}

function transactionFor(operation: WriteOperation): Pick<Transaction, 'compare' | 'then'> {
  const key = String(operation.key);
  switch (operation.kind) {
    case 'put':
      return { compare: [], then: [put(key, operation.value)] };
    case 'delete': {
      const exists = { target: 'version', key, relation: 'greater', number: 0 } as const;
      return { compare: [exists], then: [{ kind: 'delete', range: singleKeyRange(key) }] };
    }
    case 'compareAndSet': {
      const { expected, value } = operation;
      const isAbsent = { target: 'version', key, relation: 'equal', number: 0 } as const;
      const isEqual = {
        target: 'value',
        key,
        relation: 'equal',
        value: bytesOf(expected),
      } as const;
      return { compare: [expected === 0 ? isAbsent : isEqual], then: [put(key, value)] };
    }
  }
}

function put(key: string, value: Value): Transaction['then'][number] {
  return { kind: 'put', key, value: bytesOf(value), lease: null };
}
