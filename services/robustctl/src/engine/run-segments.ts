import type { SegmentRecord } from '@robustmq/placement-registry';
import type { ListFlags } from '../cluster/cluster-flags.ts';
import { type ListLayout, printPages } from '../cluster/paged-list.ts';
import { withRegistries } from '../cluster/with-registries.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { shardNameFrom } from './engine-flags.ts';

/** `engine segment list SHARD`: the segments that were registered (`EngineService.CreateSegment`). */
export function runSegmentList(text: string | undefined, flags: ListFlags): Promise<void> {
  if (text === undefined) {
    throw new CommandError(ExitCode.usage, 'name a shard, or with --data a directory');
  }
  const name = shardNameFrom(text);
  return withRegistries(flags, (registries, call) =>
    printPages(flags, SEGMENTS, (page) => registries.segments.list(name, page, call)),
  );
}

const SEGMENTS: ListLayout<SegmentRecord> = {
  heading: ['segment', 'first', 'after', 'status'],
  row: ({ segment, firstOffset, afterOffset, status }) => [
    String(segment),
    firstOffset === null ? '-' : String(firstOffset),
    afterOffset === null ? '-' : String(afterOffset),
    status,
  ],
  record: (segment) => segment,
};
