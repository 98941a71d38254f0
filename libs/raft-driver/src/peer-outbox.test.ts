import type { Entry, LogIndex, NodeId, RaftMessage, Term } from '@robustmq/raft';
import { expect, test } from 'vitest';
import { PeerOutbox } from './peer-outbox.ts';
import { decodeFrame } from './raft-frame.ts';

const term = 1 as Term;
const header = { cluster: new Uint8Array(16), member: new Uint8Array(16), from: 1 as NodeId };

function append(to: number, commitIndex: number, data: readonly number[]): RaftMessage {
  const entries = data.map(
    (byte, at): Entry => ({
      kind: 'data',
      term,
      index: (at + 1) as LogIndex,
      data: Uint8Array.of(byte),
    }),
  );
  const previous = { term: 0 as Term, index: 0 as LogIndex };
  const addressed = { from: 1 as NodeId, to: to as NodeId, term };
  const commit = commitIndex as LogIndex;
  return { kind: 'appendRequest', ...addressed, previous, entries, commitIndex: commit };
}

function sentBy(add: (outbox: PeerOutbox) => void): readonly string[] {
  const sent: string[] = [];
  const outbox = new PeerOutbox(
    (to) => ({ ...header, to }),
    (to, bytes) => {
      const frame = decodeFrame(bytes);
      if (frame.kind !== 'messages') throw new Error('a refusal was sent');
      for (const { groupId, message } of frame.messages) {
        if (message.kind !== 'appendRequest') throw new Error(`a ${message.kind} was sent`);
        sent.push(`${to}/${groupId}: ${message.commitIndex} +${message.entries.length}`);
      }
    },
  );
  add(outbox);
  outbox.flush();
  return sent;
}

test('an append takes the place of one without entries to the same member of its group', () => {
  const sent = sentBy((outbox) => {
    outbox.add(7, append(2, 1, []));
    outbox.add(8, append(2, 2, []));
    outbox.add(7, append(3, 3, []));
    outbox.add(7, append(2, 4, [1, 2]));
    outbox.add(8, append(2, 5, []));
  });
  expect(sent).toEqual(['2/7: 4 +2', '2/8: 5 +0', '3/7: 3 +0']);
});

test('an append with entries is never replaced', () => {
  const sent = sentBy((outbox) => {
    outbox.add(7, append(2, 1, [1]));
    outbox.add(7, append(2, 2, []));
    outbox.add(7, append(2, 3, [2]));
    outbox.add(7, append(2, 4, [3]));
  });
  expect(sent).toEqual(['2/7: 1 +1', '2/7: 3 +1', '2/7: 4 +1']);
});
