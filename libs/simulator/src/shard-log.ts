/**
 * A message shard on one simulated node: the real decisions of `ShardState`, and who appended each
 * record. It shares the group and its log with the placement state: a first byte tells their entries
 * apart, so that every fault that one meets the other meets, too.
 */
import { assert } from '@robustmq/errors';
import {
  decodeShardCommand,
  encodeAppend,
  encodeFence,
  encodeTrim,
  type ProducerName,
  type ShardOutcome,
  ShardState,
} from '@robustmq/journal';
import { mixed } from './trace.ts';

/** No command of the placement state begins so. */
const SHARD_ENTRY = 0xff;
const RECORDS_PER_BATCH_MAX = 3;
const OWNER_NUMBERS = 3;

/** The append that wrote a record. */
export interface RecordOwner {
  readonly producer: number;
  readonly incarnation: number;
  readonly sequence: number;
}

export interface ShardApplied {
  readonly outcome: ShardOutcome;
  /** Of an append; null for anything else. */
  readonly owner: RecordOwner | null;
  readonly recordCount: number;
}

/** How many records an append of this sequence holds: nobody needs to be told. */
export function recordCountOf(sequence: number): number {
  return 1 + (sequence % RECORDS_PER_BATCH_MAX);
}

export function appendEntry(name: ProducerName, sequence: number, stampMs: number): Uint8Array {
  return tagged(encodeAppend({ stampMs, producer: name, sequence }, new Uint8Array(0)));
}

export function fenceEntry(name: ProducerName, stampMs: number): Uint8Array {
  return tagged(encodeFence(stampMs, name));
}

export function trimEntry(offset: number, stampMs: number): Uint8Array {
  return tagged(encodeTrim(stampMs, offset));
}

export function isShardEntry(data: Uint8Array): boolean {
  return data[0] === SHARD_ENTRY;
}

export class ShardLog {
  #state = new ShardState();
  /** By offset; those that are trimmed are gone. */
  readonly #owners = new Map<number, RecordOwner>();
  #digest = 0;

  /** The offset after the last record. */
  get next(): number {
    return this.#state.next;
  }

  get oldest(): number {
    return this.#state.oldest;
  }

  /** Equal contents have equal digests. */
  get digest(): number {
    return mixed(mixed(this.#digest, this.#state.next), this.#state.oldest);
  }

  ownerOf(offset: number): RecordOwner | undefined {
    return this.#owners.get(offset);
  }

  /** @param judgesAppends  false: a planted bug writes whatever comes */
  apply(entry: Uint8Array, judgesAppends: boolean): ShardApplied {
    const command = decodeShardCommand(entry.subarray(1));
    assert(command !== null, 'an entry of the shard can be read');
    if (command.kind !== 'append') {
      const before = this.#state.oldest;
      const outcome = this.#state.apply(command, 0);
      for (let offset = before; offset < this.#state.oldest; offset += 1) this.#forget(offset);
      return { outcome, owner: null, recordCount: 0 };
    }
    const { producer, sequence } = command;
    const { id, incarnation } = producer;
    const owner = { producer: id, incarnation, sequence };
    const recordCount = recordCountOf(sequence);
    if (!judgesAppends) this.#state.producers.restore(asIfNext(owner));
    const outcome = this.#state.apply(command, recordCount);
    if (outcome.kind === 'appended') {
      for (let at = 0; at < recordCount; at += 1) this.#add(outcome.base + at, owner);
    }
    return { outcome, owner, recordCount };
  }

  clone(): ShardLog {
    return ShardLog.parse(this.serialize('whole'));
  }

  /** @param content  `withoutProducers`: a planted bug leaves out who appended what */
  serialize(content: 'whole' | 'withoutProducers'): Uint8Array {
    const state = content === 'whole' ? this.#state : forgetful(this.#state);
    const head = state.encode();
    const owners = new Float64Array(this.#owners.size * (OWNER_NUMBERS + 1));
    let at = 0;
    for (const [offset, { producer, incarnation, sequence }] of this.#owners) {
      owners.set([offset, producer, incarnation, sequence], at);
      at += OWNER_NUMBERS + 1;
    }
    const bytes = new Uint8Array(4 + head.length + owners.byteLength);
    new DataView(bytes.buffer).setUint32(0, head.length);
    bytes.set(head, 4);
    bytes.set(new Uint8Array(owners.buffer), 4 + head.length);
    return bytes;
  }

  static parse(bytes: Uint8Array): ShardLog {
    const log = new ShardLog();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const headLength = view.getUint32(0);
    const state = ShardState.decode(bytes.subarray(4, 4 + headLength));
    assert(state !== null, 'the state of a shard can be read');
    log.#state = state;
    const owners = new Float64Array(bytes.slice(4 + headLength).buffer);
    for (let at = 0; at < owners.length; at += OWNER_NUMBERS + 1) {
      const [offset = 0, producer = 0, incarnation = 0, sequence = 0] = owners.subarray(at);
      log.#add(offset, { producer, incarnation, sequence });
    }
    return log;
  }

  #add(offset: number, owner: RecordOwner): void {
    this.#owners.set(offset, owner);
    this.#digest = (this.#digest + hashOf(offset, owner)) | 0;
  }

  #forget(offset: number): void {
    const owner = this.#owners.get(offset);
    if (owner === undefined) return;
    this.#owners.delete(offset);
    this.#digest = (this.#digest - hashOf(offset, owner)) | 0;
  }
}

function hashOf(offset: number, { producer, incarnation, sequence }: RecordOwner): number {
  return mixed(mixed(offset, producer), mixed(incarnation, sequence));
}

function tagged(command: Uint8Array): Uint8Array {
  const entry = new Uint8Array(1 + command.length);
  entry[0] = SHARD_ENTRY;
  entry.set(command, 1);
  return entry;
}

/** As a producer would stand for whom this append is the next one. */
function asIfNext({
  producer,
  incarnation,
  sequence,
}: RecordOwner): Parameters<ShardState['producers']['restore']>[0] {
  const lastSequence = sequence - 1;
  return { id: producer, incarnation, isFenced: false, lastSequence, usedAtMs: 0, bases: [] };
}

function forgetful(state: ShardState): ShardState {
  const copy = new ShardState();
  copy.appliedIndex = state.appliedIndex;
  copy.next = state.next;
  copy.oldest = state.oldest;
  copy.lastAppendedAtMs = state.lastAppendedAtMs;
  return copy;
}
