/** One shard in LevelDB: a batch per key, an index per sealed segment. */
import type {
  BatchMedium,
  BatchSpot,
  SealedSegment,
  SegmentStart,
  ShardContents,
  StoredBatch,
} from '@robustmq/batch-shard';
import type { Change, LevelDatabase } from './level-database.ts';
import { ShardKeys, encodeNumbers, numberAt, offsetsIn, segmentFirstIn } from './level-keys.ts';

export class LevelMedium implements BatchMedium {
  readonly #database: LevelDatabase;
  readonly #keys: ShardKeys;

  constructor(database: LevelDatabase, shard: string) {
    this.#database = database;
    this.#keys = new ShardKeys(shard);
  }

  placesOf(byteLength: number): number {
    return byteLength;
  }

  async load(): Promise<ShardContents> {
    const sealed: SealedSegment[] = [];
    for await (const [key, value] of this.#database.entries(this.#keys.segments)) {
      sealed.push({
        first: segmentFirstIn(key),
        place: numberAt(value, 0),
        after: numberAt(value, 1),
        bytes: numberAt(value, 2),
        span: numberAt(value, 3),
      });
    }
    const active = await this.#activeStart(sealed.at(-1));
    // What a trim that was cut short left behind.
    await this.#database.clear(this.#keys.batches(0, sealed[0]?.first ?? active.first));
    return { sealed, active };
  }

  async *scan(from: SegmentStart, after: number | null): AsyncGenerator<StoredBatch> {
    let { place } = from;
    for await (const [key, bytes] of this.#database.entries(
      this.#keys.batches(from.first, after),
    )) {
      yield { ...offsetsIn(key), place, bytes };
      place += bytes.length;
    }
  }

  async write(batches: readonly StoredBatch[], flush: 'sync' | 'async'): Promise<void> {
    const changes = batches.map(({ first, after, bytes }): Change => {
      return { type: 'put', key: this.#keys.batch(first, after), value: bytes };
    });
    await this.#database.write(changes, flush);
  }

  read(
    _segment: SegmentStart,
    spots: readonly BatchSpot[],
  ): Promise<readonly (Uint8Array | null)[]> {
    return this.#database.getMany(spots.map(({ first, after }) => this.#keys.batch(first, after)));
  }

  async seal(segment: SealedSegment, index: Uint8Array): Promise<number> {
    const keys = this.#keys;
    const { first, place, after, bytes, span } = segment;
    const next = place + span;
    await this.#database.write(
      [
        { type: 'put', key: keys.index(first), value: index },
        { type: 'put', key: keys.segment(first), value: encodeNumbers(place, after, bytes, span) },
        { type: 'put', key: keys.head, value: encodeNumbers(after, next) },
      ],
      'sync',
    );
    return next;
  }

  readIndex(segment: SealedSegment): Promise<Uint8Array | null> {
    return this.#database.get(this.#keys.index(segment.first));
  }

  /** Each segment is forgotten in one write; then its batches go, which nobody can find any more. */
  async remove(segments: readonly SealedSegment[]): Promise<void> {
    const keys = this.#keys;
    for (const { first, after } of segments) {
      const gone: Change[] = [
        { type: 'del', key: keys.segment(first) },
        { type: 'del', key: keys.index(first) },
      ];
      await this.#database.write(gone, 'async');
      await this.#database.clear(keys.batches(first, after));
    }
  }

  nameOf(spot: BatchSpot): string {
    return `${this.#database.path} (${this.#keys.batch(spot.first, spot.after)})`;
  }

  async close(): Promise<void> {
    const start = await this.#database.get(this.#keys.head);
    // Any synchronous write flushes what was written before it.
    if (start !== null) {
      await this.#database.write([{ type: 'put', key: this.#keys.head, value: start }], 'sync');
    }
  }

  /** A head that was lost to damage, or that is behind the segments, is found from what stands there. */
  async #activeStart(last: SealedSegment | undefined): Promise<SegmentStart> {
    const head = await this.#database.get(this.#keys.head);
    const known = { first: numberAt(head ?? NOTHING, 0), place: numberAt(head ?? NOTHING, 1) };
    const active =
      last === undefined || known.first >= last.after
        ? known
        : { first: last.after, place: last.place + last.span };
    if (head !== null) return active;
    const [oldest] = await this.#database.keys(this.#keys.batches(active.first, null), 1);
    const first =
      last === undefined && oldest !== undefined ? offsetsIn(oldest).first : active.first;
    const value = encodeNumbers(first, active.place);
    await this.#database.write([{ type: 'put', key: this.#keys.head, value }], 'sync');
    return { first, place: active.place };
  }
}

const NOTHING = new Uint8Array(0);
