/** Opens a shard: reads what the medium holds and builds the index of its active segment. */
import type { DamagedRange, Offset, RecoveryReport } from '@robustmq/journal';
import type { BatchMedium } from './batch-medium.ts';
import { BatchShard } from './batch-shard.ts';
import type { SpaceBudget } from './batch-shard.ts';
import type { ShardSegment } from './shard-segment.ts';
import { ShardStore, scanSegment } from './shard-store.ts';
import type { SharedCaches } from './shard-store.ts';

export interface ShardPlace {
  readonly name: string;
  readonly medium: BatchMedium;
  readonly caches: SharedCaches;
  readonly space: SpaceBudget;
  readonly segmentBytesMax: number;
}

/** A report that grows when damage is found later. */
interface GrowingReport extends RecoveryReport {
  readonly quarantined: { file: string; reason: string; first: Offset; after: Offset }[];
}

export async function openShard(place: ShardPlace): Promise<BatchShard> {
  const { medium } = place;
  const { sealed, active, end } = await medium.load();
  const { index, bytes, span: filled } = await scanSegment(medium, active, null);
  const span = end === undefined ? filled : end - active.place;
  const after = active.first + index.recordsAfter;
  const list: ShardSegment[] = sealed.map((segment) => ({ ...segment, growing: null }));
  const last: ShardSegment = { ...active, after, bytes, span, growing: index };
  list.push(last);
  const recovery: GrowingReport = {
    recordsScanned: index.recordsAfter,
    truncatedBytes: 0,
    quarantined: [],
  };
  const report = (segment: ShardSegment, damage: DamagedRange): void => {
    recovery.quarantined.push(quarantined(medium, segment, damage));
  };
  for (const damage of index.damage) report(last, damage);
  const store = new ShardStore({ list, medium }, place.caches, report);
  return new BatchShard({ ...place, store, recovery });
}

function quarantined(
  medium: BatchMedium,
  segment: ShardSegment,
  damage: DamagedRange,
): GrowingReport['quarantined'][number] {
  const first = segment.first + damage.first;
  const after = segment.first + damage.after;
  const place = segment.place + damage.position;
  return {
    file: medium.nameOf({ first, after, place, byteLength: 0 }),
    reason: 'batches are missing or fail their checksum',
    first: first as Offset,
    after: after as Offset,
  };
}
