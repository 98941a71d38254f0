/** The suite that everything passes that several processes append and write to at once. */
import { describe } from 'vitest';
import { describeKeyedShard } from './describe-keyed-shard.ts';
import { describeSharedShard } from './describe-shared-shard.ts';
import type { SharedJournalCapabilities, SharedJournalFactory } from './shared-journal-fixture.ts';

export function describeSharedJournal(
  name: string,
  open: SharedJournalFactory,
  capabilities: SharedJournalCapabilities,
): void {
  describe(`${name}, as a shared journal`, () => {
    if (capabilities.messages) describeSharedShard(open, capabilities);
    if (capabilities.keyed) describeKeyedShard(open, capabilities);
  });
}
