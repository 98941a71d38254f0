/** One message shard under test, and several processes that append to it. */
import type {
  AppendAcknowledgement,
  JournalRecord,
  Offset,
  ProducerName,
  RecordSelector,
  SharedJournal,
  SharedShard,
  ShardTail,
} from '@robustmq/journal';
import { readToEnd } from './read-to-end.ts';
import { sampleBatch } from './sample-batches.ts';
import { LONG_MS } from './shared-journal-fixture.ts';
import type { SharedJournalUnderTest } from './shared-journal-fixture.ts';

export const START: Offset = 0 as Offset;
export const EVERYTHING: RecordSelector = { kind: 'everything' };
export const PROCESSES = ['one', 'two', 'three'] as const;
export type ProcessName = (typeof PROCESSES)[number];

const decoder = new TextDecoder();

/** A shard of its own for each test; processes keep their connections. */
export class SharedShardBench {
  readonly #underTest: SharedJournalUnderTest;
  readonly #journals = new Map<string, SharedJournal>();
  #shards = 0;
  /** Rises with each test, so that no test sees a producer of another. */
  #incarnation = 0;
  name = '';

  constructor(underTest: SharedJournalUnderTest) {
    this.#underTest = underTest;
  }

  async begin(): Promise<void> {
    this.#shards += 1;
    this.#incarnation += 100;
    this.name = `messages-${this.#shards}`;
    await this.#underTest.createShard(this.name);
  }

  async handle(process: ProcessName): Promise<SharedShard> {
    return (await this.journal(process)).openShard(this.name);
  }

  async journal(process: ProcessName): Promise<SharedJournal> {
    let journal = this.#journals.get(process);
    if (journal === undefined) {
      journal = await this.#underTest.connect(process);
      this.#journals.set(process, journal);
    }
    return journal;
  }

  async closeJournal(process: ProcessName): Promise<void> {
    const journal = this.#journals.get(process);
    this.#journals.delete(process);
    await journal?.close();
  }

  /** @param life  0 for the first, rising */
  producer(process: ProcessName, life = 0): ProducerName {
    return { id: PROCESSES.indexOf(process) + 1, incarnation: this.#incarnation + life };
  }

  async close(): Promise<void> {
    for (const journal of this.#journals.values()) await journal.close();
    await this.#underTest.close();
  }
}

/** One record per text, whose topic is what stands before its first space, as one batch. */
export function appendTexts(
  shard: SharedShard,
  texts: readonly string[],
  {
    producer,
    deadlineMs = LONG_MS,
    acknowledgement = 'all-synced',
  }: {
    producer: ProducerName;
    deadlineMs?: number;
    acknowledgement?: AppendAcknowledgement;
  },
): Promise<Offset> {
  const records = texts.map((body) => ({ kind: 1, topic: topicOf(body), body }));
  const batch = sampleBatch(records, START, Date.now());
  return shard.append(batch, { producer, acknowledgement, deadlineMs });
}

export function topicOf(text: string): string {
  return text.split(' ', 1)[0] as string;
}

export function bodyOf(record: JournalRecord): string {
  return decoder.decode(record.body);
}

/** The bodies of everything that is committed, in order. */
export async function contentOf(shard: SharedShard): Promise<readonly string[]> {
  const end = await shard.committed(LONG_MS);
  const reader = shard.openReader(START, EVERYTHING);
  const records: JournalRecord[] = [];
  while (reader.position < end) records.push(...(await readToEnd(reader, 100)));
  return records.slice(0, end).map(bodyOf);
}

/** What a tail returns until it has so many records, in pages. */
export async function takeRecords(
  tail: ShardTail,
  count: number,
  pageRecords: number,
): Promise<readonly JournalRecord[]> {
  const records: JournalRecord[] = [];
  while (records.length < count) records.push(...(await tail.next(pageRecords, 100_000)));
  return records;
}
