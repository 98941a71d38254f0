import type {
  Configuration,
  Entry,
  EntryId,
  LogIndex,
  NodeId,
  RaftMessage,
  Term,
} from '@robustmq/raft';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedError } from './byte-reader.ts';
import {
  decodeFrame,
  encodedMessageBytes,
  encodeMessages,
  encodeRefusal,
  type FrameHeader,
  type GroupMessage,
} from './raft-frame.ts';

const header: FrameHeader = {
  from: 1 as NodeId,
  to: 2 as NodeId,
  cluster: Uint8Array.from({ length: 16 }, (_, at) => at),
  member: Uint8Array.from({ length: 16 }, (_, at) => 100 + at),
};

const number = fc.oneof(fc.nat(1000), fc.maxSafeNat());
const index = number as fc.Arbitrary<LogIndex>;
const term = number as fc.Arbitrary<Term>;
const nodes = fc.array(number as fc.Arbitrary<NodeId>, { maxLength: 5 });
const id: fc.Arbitrary<EntryId> = fc.record({ term, index });
const data = fc.uint8Array({ maxLength: 60 });
const configuration: fc.Arbitrary<Configuration> = fc.record({
  voters: nodes,
  outgoing: nodes,
  learners: nodes,
  learnersNext: nodes,
});
const address = { from: fc.constant(header.from), to: fc.constant(header.to), term };

const body = fc.oneof(
  data.map((each) => ({ kind: 'data' as const, data: each })),
  fc.constant({ kind: 'noop' as const }),
  configuration.map((each) => ({ kind: 'membership' as const, configuration: each })),
);

const append = fc
  .record({
    previous: fc.record({ term, index: fc.nat(1e6) as unknown as fc.Arbitrary<LogIndex> }),
    bodies: fc.array(fc.tuple(body, term), { maxLength: 6 }),
    commitIndex: index,
    term,
  })
  .map(({ previous, bodies, commitIndex, term: own }): RaftMessage => {
    const entries = bodies.map(
      ([each, entryTerm], at): Entry => ({
        ...each,
        term: entryTerm,
        index: (previous.index + 1 + at) as LogIndex,
      }),
    );
    const { from, to } = header;
    return { kind: 'appendRequest', from, to, term: own, previous, entries, commitIndex };
  });

function kind<Kind extends RaftMessage['kind']>(name: Kind): { kind: fc.Arbitrary<Kind> } {
  return { kind: fc.constant(name) };
}

const message: fc.Arbitrary<RaftMessage> = fc.oneof(
  append,
  fc.record({ ...kind('preVoteRequest'), ...address, last: id }),
  fc.record({ ...kind('preVoteResponse'), ...address, granted: fc.boolean() }),
  fc.record({ ...kind('voteRequest'), ...address, last: id, transfer: fc.boolean() }),
  fc.record({ ...kind('voteResponse'), ...address, granted: fc.boolean() }),
  fc.record({ ...kind('appendAccepted'), ...address, matchIndex: index }),
  fc.record({ ...kind('appendRejected'), ...address, previousIndex: index, conflict: id }),
  fc.record({
    ...kind('heartbeat'),
    ...address,
    commitIndex: index,
    round: number,
    quiesce: fc.boolean(),
  }),
  fc.record({ ...kind('heartbeatResponse'), ...address, round: number }),
  fc.record({
    ...kind('snapshotChunk'),
    ...address,
    snapshot: fc.record({ last: id, configuration }),
    offset: number,
    data,
    done: fc.boolean(),
  }),
  fc.record({
    ...kind('snapshotChunkResponse'),
    ...address,
    snapshotIndex: index,
    nextOffset: number,
  }),
  fc.record({ ...kind('timeoutNow'), ...address }),
  fc.record({ ...kind('readIndexRequest'), ...address, requestId: number }),
  fc.record({ ...kind('readIndexResponse'), ...address, requestId: number, index }),
);
const messages: fc.Arbitrary<GroupMessage[]> = fc.array(
  fc.record({ groupId: fc.nat(0xffff_ffff), message }),
  { maxLength: 6 },
);

function encoded(list: readonly GroupMessage[]): Uint8Array {
  const bytes = list.reduce((sum, each) => sum + encodedMessageBytes(each.message), 0);
  return encodeMessages(header, list, bytes);
}

describe('a frame', () => {
  test('comes back as it was, whatever the messages are', () => {
    fc.assert(
      fc.property(messages, (list) => {
        expect(decodeFrame(encoded(list))).toEqual({ kind: 'messages', header, messages: list });
      }),
    );
  });

  test('may be a refusal', () => {
    const refused = new Uint8Array(16).fill(9);
    for (const reason of ['otherCluster', 'otherMember'] as const) {
      const frame = decodeFrame(encodeRefusal(header, reason, refused));
      expect(frame).toEqual({ kind: 'refusal', header, reason, refused });
    }
  });

  test('that is cut short or changed fails with the declared error, or is another frame', () => {
    const damage = fc.record({
      list: messages,
      cut: fc.nat(40),
      flips: fc.array(fc.record({ at: fc.nat(2000), mask: fc.integer({ min: 1, max: 255 }) })),
    });
    fc.assert(
      fc.property(damage, ({ list, cut, flips }) => {
        const whole = encoded(list);
        const bytes = whole.slice(0, Math.max(0, whole.length - cut));
        for (const { at, mask } of flips) {
          if (bytes.length > 0) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ mask;
        }
        try {
          decodeFrame(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of noise fails with the declared error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const bytes = encoded([]).slice();
        const frame = new Uint8Array(bytes.length + noise.length);
        frame.set(bytes);
        frame.set(noise, bytes.length);
        try {
          decodeFrame(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
        expect(() => decodeFrame(noise.length > 0 ? noise.fill(7, 0, 1) : noise)).toThrow(
          MalformedError,
        );
      }),
      { numRuns: 500 },
    );
  });
});

const refusedFrames: readonly [string, (frame: Uint8Array) => void, string][] = [
  ['another version', (frame) => (frame[0] = 2), 'a newer node must not be misread'],
  ['another kind', (frame) => (frame[1] = 3), 'only messages and refusals exist'],
  ['a node id beyond 2^53', (frame) => (frame[2] = 0xff), 'numbers are safe integers'],
];

describe('refuses', () => {
  for (const [what, change, why] of refusedFrames) {
    test(`${what}: ${why}`, () => {
      const frame = encoded([]);
      change(frame);
      expect(() => decodeFrame(frame)).toThrow(MalformedError);
    });
  }
});
