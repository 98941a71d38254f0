import { SeededRandom } from '@robustmq/environment';
import {
  INDEXED_ATTRIBUTES,
  type JournalRecord,
  type RecordAttributes,
  RecordBatchBuilder,
  type RecordSelector,
} from '@robustmq/journal';
import { expect, test } from 'vitest';
import type { ShardReplica } from './shard-replica.ts';
import { readAll, sealed, ShardCluster } from './testing/shard-cluster.ts';

const encoder = new TextEncoder();

/** Of a few values each, so that selectors find several. */
function attributesOf(random: SeededRandom): RecordAttributes {
  const id = new Uint8Array(16).fill(random.below(40));
  return {
    ...(random.below(2) === 0 ? { key: encoder.encode(`k${random.below(12)}`) } : {}),
    ...(random.below(2) === 0 ? { sender: `s${random.below(6)}` } : {}),
    ...(random.below(2) === 0 ? { messageId: id } : {}),
    ...(random.below(4) === 0 ? { headers: [{ name: 'h', value: id }] } : {}),
  };
}

function bytesOf(value: Uint8Array | string): Uint8Array {
  return typeof value === 'string' ? encoder.encode(value) : value;
}

function selectors(random: SeededRandom): RecordSelector[] {
  const prefix = `t/${random.below(3)}`;
  const matches = (topic: string): boolean => topic.startsWith(prefix);
  const named = [`t/${random.below(3)}/${random.below(4)}`, 'none'];
  const { key = new Uint8Array(1), sender = 'nobody', messageId } = attributesOf(random);
  const id = messageId ?? new Uint8Array(16);
  return [
    { kind: 'everything' },
    { kind: 'topics', exact: named, matches: null },
    { kind: 'topics', exact: named, matches },
    { kind: 'attribute', attribute: 'key', value: key },
    { kind: 'attribute', attribute: 'sender', value: encoder.encode(sender) },
    { kind: 'attribute', attribute: 'messageId', value: id },
  ];
}

/** What reading everything and looking at each record gives. */
function filtered(all: readonly JournalRecord[], selector: RecordSelector): JournalRecord[] {
  return all.filter(({ topic, attributes = {} }) => {
    if (selector.kind === 'everything') return true;
    if (selector.kind === 'topics') {
      return selector.exact.includes(topic) || selector.matches?.(topic) === true;
    }
    const value = attributes[selector.attribute];
    return value !== undefined && Buffer.compare(bytesOf(value), selector.value) === 0;
  });
}

test('reads by any selector equal a filter of the whole log, before and after a restart', async () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    const random = new SeededRandom(seed);
    const cluster = await ShardCluster.found(1);
    const [node] = cluster.nodes as [(typeof cluster.nodes)[0]];
    const builder = new RecordBatchBuilder();
    const written: string[] = [];
    const leader = await cluster.leader();
    for (let sequence = 1; sequence <= 90; sequence += 1) {
      for (let count = 1 + random.below(5); count > 0; count -= 1) {
        const topic = encoder.encode(`t/${random.below(3)}/${random.below(4)}`);
        builder.beginRecord(1, topic, 0, random.below(10) === 0 ? 0 : topic.length);
        builder.attach(attributesOf(random));
        const at = builder.reserve(30);
        builder.bytes.fill(written.length, at, at + 30);
        builder.endRecord();
        written.push(`${written.length & 255}`);
      }
      const batch = sealed(builder);
      const producer = { id: 1, incarnation: 1 };
      await cluster.during(leader.append({ producer, sequence, batch }, 5000));
    }
    expect(leader.status.segments).toBeGreaterThan(3);
    for (const life of ['before', 'after']) {
      const replica = node.replica as ShardReplica;
      const all = await readAll(replica);
      expect(all.map(({ body }) => `${body[0]}`)).toEqual(written);
      expect(INDEXED_ATTRIBUTES.every((name) => all.some((each) => each.attributes?.[name]))).toBe(
        true,
      );
      for (let round = 0; round < 6; round += 1) {
        const from = random.below(all.length);
        for (const selector of selectors(random)) {
          const found = await readAll(replica, from, selector);
          expect(found, `seed ${seed}, ${life}, ${JSON.stringify(selector)}`).toEqual(
            filtered(all.slice(from), selector),
          );
        }
      }
      await cluster.crash(node);
      await cluster.start(node);
      await cluster.converge();
    }
    await cluster.stopAll();
  }
});
