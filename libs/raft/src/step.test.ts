import { describe, expect, test } from 'vitest';
import { configurationOf } from './configuration.ts';
import { LOG_START, type LogIndex, type NodeId } from './identifiers.ts';
import { defaultRaftOptions, leaseTicksFor, type RaftOptions } from './options.ts';
import type { RaftOutput } from './output.ts';
import { step } from './raft.ts';
import { bootstrapSnapshot, newRaftState, NO_HARD_STATE } from './start.ts';
import type { RaftState } from './state.ts';
import { statusOf } from './status.ts';

function freshNode(voters: readonly number[], options: Partial<RaftOptions> = {}): RaftState {
  const configuration = configurationOf(voters as NodeId[]);
  return newRaftState({
    id: 1 as NodeId,
    options: { ...defaultRaftOptions, ...options },
    seed: 7,
    hardState: NO_HARD_STATE,
    snapshot: bootstrapSnapshot(configuration),
    logBase: LOG_START,
    entries: [],
    appliedIndex: 0 as LogIndex,
  });
}

function tickUntil(state: RaftState, wanted: (output: RaftOutput) => boolean): RaftOutput {
  for (let ticks = 0; ticks < 100; ticks += 1) {
    const output = step(state, { kind: 'tick' });
    if (wanted(output)) return output;
  }
  throw new Error('it did not happen within 100 ticks');
}

function becomeOnlyLeader(state: RaftState): RaftOutput {
  const vote = tickUntil(state, (output) => output.persist !== null).persist;
  return step(state, { kind: 'persisted', through: vote?.number ?? state.lastPersist });
}

describe('step', () => {
  test('gives equal outputs for equal states and inputs', () => {
    const [left, right] = [freshNode([1, 2, 3]), freshNode([1, 2, 3])];
    for (let ticks = 0; ticks < 100; ticks += 1) {
      expect(step(left, { kind: 'tick' })).toEqual(step(right, { kind: 'tick' }));
    }
  });

  test('allocates nothing for a tick without consequence', () => {
    const state = freshNode([1, 2, 3]);
    expect(step(state, { kind: 'tick' })).toBe(step(state, { kind: 'tick' }));
  });

  test('makes a group of one lead only after its vote is durable (Raft Figure 2)', () => {
    const state = freshNode([1]);
    const output = tickUntil(state, (each) => each.persist !== null);
    expect(statusOf(state).role).toBe('candidate');
    expect(output.persist?.hardState).toEqual({ term: 1, votedFor: 1 });
    step(state, { kind: 'persisted', through: state.lastPersist });
    expect(statusOf(state).role).toBe('leader');
  });

  test('hands an entry over only when it is durable here (Raft thesis §10.2.1)', () => {
    const state = freshNode([1]);
    becomeOnlyLeader(state);
    const proposed = step(state, { kind: 'propose', payloads: [new Uint8Array([1])] });
    expect(proposed.proposal?.kind).toBe('appended');
    expect(proposed.committed).toEqual([]);
    const flushed = step(state, { kind: 'persisted', through: state.lastPersist });
    expect(flushed.committed.map((entry) => entry.kind)).toEqual(['noop', 'membership', 'data']);
  });

  test('refuses proposals beyond the limit of uncommitted bytes, and takes them again later', () => {
    const state = freshNode([1], { uncommittedBytesMax: 200 });
    becomeOnlyLeader(state);
    const payloads = [new Uint8Array(300)];
    step(state, { kind: 'propose', payloads });
    const refused = step(state, { kind: 'propose', payloads });
    expect(refused.proposal).toMatchObject({ kind: 'refused', reason: 'overloaded' });
    step(state, { kind: 'persisted', through: state.lastPersist });
    expect(step(state, { kind: 'propose', payloads }).proposal?.kind).toBe('appended');
  });

  test('names the leader, or nobody, when it refuses a proposal', () => {
    const { proposal } = step(freshNode([1, 2, 3]), { kind: 'propose', payloads: [] });
    expect(proposal).toEqual({ kind: 'refused', reason: 'notLeader', leader: null });
  });
});

describe('the lease (Raft thesis §6.4.1)', () => {
  test('ends before any follower may vote, with clocks 10 % apart', () => {
    for (let election = 3; election <= 100; election += 1) {
      expect(leaseTicksFor(election) * 1.1).toBeLessThan((election - 1) / 1.1);
    }
  });
});
