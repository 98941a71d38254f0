import type { EntryId, LogIndex, Term } from '@robustmq/raft';
import { expect, test } from 'vitest';
import { PendingProposals, type Proposal } from './pending-proposals.ts';
import type { RaftError } from './raft-error.ts';

function id(term: number, index: number): EntryId {
  return { term: term as Term, index: index as LogIndex };
}

/** Three proposals, appended as 1/5 to 1/7, and what becomes of each. */
function threeAppended(): { pending: PendingProposals<string>; outcomes: string[] } {
  const pending = new PendingProposals<string>();
  const outcomes = ['', '', ''];
  for (let at = 0; at < 3; at += 1) {
    const proposal: Proposal<string> = {
      data: new Uint8Array(10),
      deadlineAtMs: 1000 + at,
      stages: null,
      resolve: ({ result }) => (outcomes[at] = result),
      reject: (error: RaftError) => (outcomes[at] = error.fault.code),
    };
    pending.add(proposal);
  }
  pending.appended(pending.takeWaiting(), id(1, 5));
  return { pending, outcomes };
}

test('each proposal gets its own result', () => {
  const { pending, outcomes } = threeAppended();
  for (let index = 5; index < 8; index += 1) pending.applied(id(1, index), `result ${index}`);
  expect(outcomes).toEqual(['result 5', 'result 6', 'result 7']);
  expect([pending.count, pending.bytes]).toEqual([0, 0]);
});

test('an entry of another term at the same index is somebody else’s', () => {
  const { pending, outcomes } = threeAppended();
  pending.applied(id(2, 5), 'not mine');
  expect(outcomes).toEqual(['RAFT_OUTCOME_UNKNOWN', '', '']);
});

test('what is not committed when leadership is lost has an unknown outcome', () => {
  const { pending, outcomes } = threeAppended();
  pending.forgetAfter(5, 'leadership was lost');
  expect(outcomes).toEqual(['', 'RAFT_OUTCOME_UNKNOWN', 'RAFT_OUTCOME_UNKNOWN']);
  pending.applied(id(1, 5), 'mine');
  expect(outcomes[0]).toBe('mine');
});

test('what a snapshot brought has no result here', () => {
  const { pending, outcomes } = threeAppended();
  pending.forgetThrough(6);
  expect(outcomes).toEqual(['RAFT_OUTCOME_UNKNOWN', 'RAFT_OUTCOME_UNKNOWN', '']);
});

test('deadlines count one by one; what was not appended is refused instead', () => {
  const { pending, outcomes } = threeAppended();
  let waiting = '';
  pending.add({
    data: new Uint8Array(1),
    deadlineAtMs: 1001,
    stages: null,
    resolve: () => undefined,
    reject: (error) => (waiting = error.fault.code),
  });
  pending.expire(999);
  expect(outcomes).toEqual(['', '', '']);
  pending.expire(1001);
  expect(outcomes).toEqual(['RAFT_OUTCOME_UNKNOWN', 'RAFT_OUTCOME_UNKNOWN', '']);
  expect(waiting).toBe('RAFT_REFUSED');
  pending.expire(1002);
  expect([outcomes[2], pending.count, pending.bytes]).toEqual(['RAFT_OUTCOME_UNKNOWN', 0, 0]);
});

test('stages are told in the order of the log, and none once the outcome is unknown', () => {
  const pending = new PendingProposals<string>();
  const told: string[] = [];
  for (let at = 0; at < 4; at += 1) {
    pending.add({
      data: new Uint8Array(1),
      deadlineAtMs: 1000,
      stages: {
        appended: ({ index }) => told.push(`${at} in ${index}`),
        durable: () => told.push(`${at} on disk`),
      },
      resolve: () => undefined,
      reject: () => undefined,
    });
  }
  pending.appended(pending.takeWaiting(), id(1, 5));
  expect(told.splice(0)).toEqual(['0 in 5', '1 in 6', '2 in 7', '3 in 8']);
  pending.durable(4);
  pending.durable(6);
  expect(told.splice(0)).toEqual(['0 on disk', '1 on disk']);
  pending.forgetAfter(6, 'leadership was lost');
  pending.durable(8);
  expect(told).toEqual([]);
});
