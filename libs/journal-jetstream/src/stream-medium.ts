/** One shard in a stream of JetStream; see stream-message.ts for what stands there. */
import type {
  BatchMedium,
  BatchSpot,
  SealedSegment,
  SegmentStart,
  ShardContents,
  StoredBatch,
} from '@robustmq/batch-shard';
import { JournalError } from '@robustmq/journal';
import { messageOf } from './stream-client.ts';
import type { StreamClient } from './stream-client.ts';
import {
  HEADER,
  joinParts,
  numberIn,
  partMessages,
  partsOf,
  readSeal,
  sealMessage,
} from './stream-message.ts';
import type { IncomingMessage, OutgoingMessage, SealedStretch } from './stream-message.ts';
import type { StreamNames } from './stream-names.ts';
import type { StreamWriter } from './stream-writer.ts';

/** So many messages are asked for at once when the active segment is read. */
const SCAN_MESSAGES = 64;
const CLAIM_ATTEMPTS_MAX = 50;
const NOTHING = new Uint8Array(0);

export interface StreamParts {
  readonly client: StreamClient;
  readonly writer: StreamWriter;
  readonly names: StreamNames;
}

export class StreamMedium implements BatchMedium {
  readonly #client: StreamClient;
  readonly #writer: StreamWriter;
  readonly #names: StreamNames;
  /** By first offset. */
  readonly #stretches = new Map<number, SealedStretch>();
  /** Where the last seal stands, 0 for none. */
  #lastSeal = 0;
  /** The message with which this writer began. */
  #claim = 0;

  constructor(parts: StreamParts) {
    this.#client = parts.client;
    this.#writer = parts.writer;
    this.#names = parts.names;
  }

  placesOf(byteLength: number): number {
    return partsOf(byteLength);
  }

  /** Takes the stream over: from here on no message of another writer gets in. */
  async claim(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const state = await this.#client.state(this.#names.stream);
      const seq = (state?.lastSeq ?? 0) + 1;
      const message = { seq, subject: this.#names.claim, headers: {}, payload: NOTHING };
      try {
        await this.#writer.store([message]);
        this.#claim = seq;
        return;
      } catch (error) {
        // The writer before us was still writing: its message is there, and so is our next attempt.
        const isFenced = error instanceof JournalError && error.fault.code === 'JOURNAL_FENCED';
        if (!isFenced || attempt === CLAIM_ATTEMPTS_MAX) throw error;
      }
    }
  }

  async load(): Promise<ShardContents> {
    const { stream, seal } = this.#names;
    const firstSeq = (await this.#client.state(stream))?.firstSeq ?? 1;
    const last = await this.#client.lastMessage(stream, seal);
    const sealed: SealedStretch[] = [];
    let message = last;
    while (message !== null) {
      const stretch = readSeal(message);
      if (stretch.place < firstSeq) break;
      sealed.unshift(stretch);
      this.#stretches.set(stretch.first, stretch);
      message =
        stretch.previousSeal < firstSeq
          ? null
          : await this.#client.leaderMessage(stream, stretch.previousSeal);
    }
    this.#lastSeal = last?.seq ?? 0;
    const first = last === null ? 0 : numberIn(last, HEADER.after);
    return { sealed, active: { first, place: this.#lastSeal + 1 }, end: this.#claim + 1 };
  }

  async *scan(from: SegmentStart, after: number | null): AsyncGenerator<StoredBatch> {
    const stretch = this.#stretches.get(from.first);
    const end = after === null ? this.#claim : from.place + (stretch?.span ?? 0);
    const batches = new PartJoiner(this.#names.batch);
    for (let seq = from.place; seq < end; seq += SCAN_MESSAGES) {
      const count = Math.min(SCAN_MESSAGES, end - seq);
      const messages = await this.#messages(seq, count);
      for (const message of messages) {
        if (message === null) continue;
        if (message.subject === this.#names.seal) throw staleRead(this.#names.stream);
        const batch = batches.add(message);
        if (batch !== null) yield batch;
      }
      // A gap between batches shows in their offsets; one at the end would not.
      if (after === null && seq + count === end && messages.at(-1) === null) {
        throw staleRead(this.#names.stream);
      }
    }
  }

  async write(batches: readonly StoredBatch[], _flush: 'sync' | 'async'): Promise<void> {
    const messages = batches.flatMap((batch) =>
      partMessages({ seq: batch.place, subject: this.#names.batch }, batch.bytes, batch),
    );
    await this.#writer.store(messages);
  }

  read(
    _segment: SegmentStart,
    spots: readonly BatchSpot[],
  ): Promise<readonly (Uint8Array | null)[]> {
    return Promise.all(spots.map((spot) => this.#joined(spot.place, partsOf(spot.byteLength))));
  }

  async seal(segment: SealedSegment, index: Uint8Array): Promise<number> {
    const { batch: _batch, index: subject, seal } = this.#names;
    const indexSeq = segment.place + segment.span;
    const parts = partMessages({ seq: indexSeq, subject }, index, segment);
    const stretch: SealedStretch = {
      ...segment,
      sealSeq: indexSeq + parts.length,
      indexParts: parts.length,
      previousSeal: this.#lastSeal,
    };
    const messages: OutgoingMessage[] = [...parts, sealMessage(seal, stretch)];
    await this.#writer.store(messages);
    this.#stretches.set(segment.first, stretch);
    this.#lastSeal = stretch.sealSeq;
    return stretch.sealSeq + 1;
  }

  async readIndex(segment: SealedSegment): Promise<Uint8Array | null> {
    const stretch = this.#stretches.get(segment.first);
    if (stretch === undefined) return null;
    return this.#joined(stretch.sealSeq - stretch.indexParts, stretch.indexParts);
  }

  /** The last seal stays: it says where the oldest offset is. */
  async remove(segments: readonly SealedSegment[]): Promise<void> {
    const last = this.#stretches.get(segments.at(-1)?.first ?? -1);
    if (last === undefined) return;
    await this.#answered(() => this.#client.purgeBefore(this.#names.stream, last.sealSeq));
    for (const { first } of segments) this.#stretches.delete(first);
  }

  nameOf(spot: BatchSpot): string {
    return `message ${spot.place} of stream ${this.#names.stream}`;
  }

  /** Nothing is held back. */
  async close(): Promise<void> {}

  #messages(seq: number, count: number): Promise<readonly (IncomingMessage | null)[]> {
    const numbers = Array.from({ length: count }, (_, i) => seq + i);
    return this.#answered(() =>
      Promise.all(numbers.map((each) => this.#client.message(this.#names.stream, each))),
    );
  }

  /** @throws JournalError JOURNAL_UNAVAILABLE */
  async #answered<Value>(call: () => Promise<Value>): Promise<Value> {
    try {
      return await call();
    } catch (cause) {
      const shard = this.#names.stream;
      const detail = `NATS does not answer: ${messageOf(cause)}`;
      throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard, detail }, { cause });
    }
  }

  async #joined(seq: number, count: number): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    for (const message of await this.#messages(seq, count)) {
      if (message === null) return null;
      parts.push(message.payload);
    }
    return joinParts(parts);
  }
}

/** Joins the parts of batches; one that its writer did not finish was never acknowledged and is left out. */
class PartJoiner {
  readonly #subject: string;
  #open: { readonly first: IncomingMessage; readonly parts: Uint8Array[] } | null = null;

  constructor(subject: string) {
    this.#subject = subject;
  }

  /** @returns the batch that is whole with this message */
  add(message: IncomingMessage): StoredBatch | null {
    if (message.subject !== this.#subject) {
      this.#open = null;
      return null;
    }
    const part = numberIn(message, HEADER.part);
    if (part === 0) this.#open = { first: message, parts: [] };
    const open = this.#open;
    if (open === null || message.seq !== open.first.seq + part) return null;
    open.parts.push(message.payload);
    if (open.parts.length < numberIn(message, HEADER.parts)) return null;
    this.#open = null;
    return {
      first: numberIn(message, HEADER.first),
      after: numberIn(message, HEADER.after),
      place: open.first.seq,
      bytes: joinParts(open.parts),
    };
  }
}

function staleRead(stream: string): JournalError {
  const detail = `stream ${stream} was read from a server that is behind: open it again`;
  return new JournalError({ code: 'JOURNAL_IO_FAILED', operation: 'open', detail });
}
