/** What an append promises by each of its acknowledgements, as long as no server is lost. */
import type { AppendAcknowledgement, SharedShard } from '@robustmq/journal';
import { expect, test } from 'vitest';
import { LONG_MS } from './shared-journal-fixture.ts';
import { appendTexts, contentOf, type SharedShardBench } from './shared-shard-bench.ts';

const ALL: readonly AppendAcknowledgement[] = ['all-synced', 'leader', 'memory'];

interface AcknowledgementStage {
  readonly bench: SharedShardBench;
  readonly one: SharedShard;
  readonly two: SharedShard;
}

export function describeAcknowledgements(stage: () => AcknowledgementStage): void {
  for (const acknowledgement of ALL) {
    test(`${acknowledgement}: an append gets its offset, and is there in the end`, async () => {
      const { bench, one, two } = stage();
      const producer = bench.producer('one');
      for (let at = 0; at < 10; at += 1) {
        const texts = [`a ${at}.0`, `a ${at}.1`];
        expect(await appendTexts(one, texts, { producer, acknowledgement })).toBe(2 * at);
      }
      // It is behind all of them, so that they are committed with it.
      expect(await appendTexts(one, ['a last'], { producer })).toBe(20);
      expect(await two.committed(LONG_MS)).toBe(21);
      const content = await contentOf(two);
      expect(content).toHaveLength(21);
      expect(content.slice(-3)).toEqual(['a 9.0', 'a 9.1', 'a last']);
    });
  }

  test('appends that overlap keep their order, however each is acknowledged', async () => {
    const { bench, one, two } = stage();
    const texts = Array.from({ length: 60 }, (_, at) => `t ${at}`);
    const producer = bench.producer('one');
    const appends = texts.map((text, at) => {
      const acknowledgement = ALL[at % ALL.length] as AppendAcknowledgement;
      return appendTexts(one, [text], { producer, acknowledgement });
    });
    expect(await Promise.all(appends)).toEqual(texts.map((_, at) => at));
    await appendTexts(one, ['t end'], { producer });
    expect(await contentOf(two)).toEqual([...texts, 't end']);
  });

  test('an append that is acknowledged early does not pass a fence', async () => {
    const { bench, one, two } = stage();
    const producer = bench.producer('one');
    await appendTexts(one, ['a 1'], { producer, acknowledgement: 'memory' });
    await two.fence(producer);
    const late = appendTexts(one, ['a 2'], { producer, acknowledgement: 'memory' });
    await expect(late).rejects.toMatchObject({ fault: { code: 'JOURNAL_FENCED' } });
    expect(await contentOf(two)).toEqual(['a 1']);
  });
}
