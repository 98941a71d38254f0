import {
  KEEP_UNTIL_RELEASED,
  type ShardRecord,
  type ShardState,
} from '@robustmq/placement-registry';
import { describe, expect, test } from 'vitest';
import type { HostedShardStatus } from '../shards/shard-set.ts';
import { type HostingStep, type HostingView, nextHostingStep } from './hosting-step.ts';

const RECORD: ShardRecord = {
  namespace: 'n',
  shard: 's',
  kind: 'messages',
  groupId: 7,
  replicasWanted: 3,
  replicas: [1, 2, 3],
  founders: [1, 2, 3],
  preferredLeader: null,
  retention: KEEP_UNTIL_RELEASED,
  epoch: 20,
  nextSegment: 0,
  createdAtMs: 0,
};

const STATE: ShardState = {
  namespace: 'n',
  shard: 's',
  groupId: 7,
  epoch: 20,
  term: 4,
  leader: 2,
  incarnation: 1,
  voters: [1, 2, 3],
  learners: [],
  committed: 0,
  oldest: 0,
  bytes: 0,
  toldAtMs: 0,
};

const HOSTED: HostedShardStatus = {
  name: 'n/s',
  kind: 'messages',
  groupId: 7,
  phase: 'open',
  failure: '',
  role: 'follower',
  leader: 2,
  term: 4,
  voters: [1, 2, 3],
  learners: [],
  commitIndex: 5_000,
  appliedIndex: 5_000,
  followers: [],
};

const LEADS: HostedShardStatus = {
  ...HOSTED,
  role: 'leader',
  leader: 1,
  followers: [2, 3].map((node) => ({ node, matchIndex: 5_000, mode: 'replicate' })),
};

const SHARD = { name: 'n/s', kind: 'messages', groupId: 7 } as const;
const NONE: HostingStep = { kind: 'none' };
const KEEP: HostingStep = { kind: 'close', content: 'keep' };
const DELETE: HostingStep = { kind: 'close', content: 'delete' };
const FOUND: HostingStep = {
  kind: 'open',
  shard: SHARD,
  bootstrap: { kind: 'found', voters: [1, 2, 3] as never },
};
const JOIN: HostingStep = { kind: 'open', shard: SHARD, bootstrap: { kind: 'join' } };

interface Row {
  readonly view: Partial<HostingView>;
  readonly step: HostingStep;
  readonly why: string;
}

const without1 = { ...RECORD, replicas: [2, 3, 4] };
const goneFrom1 = { ...STATE, voters: [2, 3, 4] };

const ROWS: readonly Row[] = [
  { view: { state: null }, step: FOUND, why: 'a founder founds what nobody has led' },
  { view: {}, step: JOIN, why: 'a founder joins what somebody has led: its disk may be new' },
  {
    view: { self: 4, record: { ...RECORD, replicas: [1, 2, 4] }, state: null },
    step: JOIN,
    why: 'who is no founder joins, whatever has been told',
  },
  {
    view: { state: { ...STATE, groupId: 6 } },
    step: FOUND,
    why: 'what is told of an earlier life says nothing',
  },
  { view: { self: 4 }, step: NONE, why: 'another server has nothing to do with it' },
  {
    view: { self: 4, hasFiles: true },
    step: JOIN,
    why: 'what it was left with is looked at first',
  },
  { view: { self: 4, hosted: HOSTED }, step: DELETE, why: 'a copy that is of no use goes' },
  {
    view: { record: { ...RECORD, replicas: [], founders: [] }, state: null },
    step: NONE,
    why: 'a shard without a place is nowhere',
  },
  { view: { hosted: HOSTED }, step: NONE, why: 'a follower follows' },
  {
    view: { hosted: { ...HOSTED, phase: 'failed' } },
    step: KEEP,
    why: 'a replica that failed is closed, to be opened again',
  },
  {
    view: { hosted: { ...HOSTED, phase: 'opening' }, record: null, isDeleted: true },
    step: NONE,
    why: 'what is being opened is left alone until it is open',
  },
  { view: { hosted: HOSTED, record: null }, step: KEEP, why: 'what is not listed is not deleted' },
  {
    view: { hosted: HOSTED, record: null, isDeleted: true },
    step: DELETE,
    why: 'what was deleted goes',
  },
  {
    view: { hosted: HOSTED, record: { ...RECORD, groupId: 8 }, state: null },
    step: KEEP,
    why: 'another life of the shard needs the name, and its data are not this one’s',
  },
  {
    view: { hosted: HOSTED, record: { ...RECORD, groupId: 8 }, state: null, isDeleted: true },
    step: DELETE,
    why: 'the life before was deleted',
  },
  {
    view: { hosted: HOSTED, record: without1 },
    step: NONE,
    why: 'a member stays until its leader has taken it out',
  },
  {
    view: { hosted: HOSTED, record: without1, state: goneFrom1 },
    step: DELETE,
    why: 'its leader has taken it out',
  },
  {
    view: { hosted: HOSTED, record: { ...without1, epoch: 21 }, state: goneFrom1 },
    step: NONE,
    why: 'the leader had not seen this record when it told: it may have added it since',
  },
  {
    view: { hosted: { ...HOSTED, term: 5 }, record: without1, state: goneFrom1 },
    step: NONE,
    why: 'a later leader has been heard of, and may have added it again',
  },
  { view: { hosted: LEADS }, step: NONE, why: 'a leader of a settled group has nothing to do' },
  {
    view: { hosted: LEADS, record: { ...RECORD, replicas: [1, 2, 4] } },
    step: { kind: 'changeMembers', voters: [1, 2, 4] },
    why: 'the leader brings the group to the record',
  },
  {
    view: { hosted: { ...LEADS, learners: [4] } },
    step: { kind: 'changeMembers', voters: [1, 2, 3] },
    why: 'a learner that is not wanted any more goes',
  },
  {
    view: { hosted: LEADS, record: without1 },
    step: { kind: 'handOver', to: 2 },
    why: 'a leader that is to go hands over first',
  },
  {
    view: { hosted: LEADS, record: { ...RECORD, preferredLeader: 3 } },
    step: { kind: 'handOver', to: 3 },
    why: 'the preferred leader gets the shard',
  },
  {
    view: { hosted: LEADS, record: { ...RECORD, preferredLeader: 3 }, alive: new Set([1, 2]) },
    step: NONE,
    why: 'a preferred leader that is away does not',
  },
  {
    view: {
      hosted: { ...LEADS, followers: [{ node: 3, matchIndex: 1, mode: 'replicate' }] },
      record: { ...RECORD, preferredLeader: 3 },
    },
    step: NONE,
    why: 'nor does one that lags: the shard would stand still until it has caught up',
  },
  {
    view: {
      hosted: { ...LEADS, voters: [1], followers: [] },
      record: { ...RECORD, replicas: [2] },
    },
    step: { kind: 'changeMembers', voters: [2] },
    why: 'the only voter has nobody to hand over to',
  },
];

describe('the next step of a server about a shard', () => {
  for (const { view, step, why } of ROWS) {
    test(why, () => {
      const alive = new Set([1, 2, 3, 4]);
      const plain = {
        self: 1,
        record: RECORD,
        state: STATE,
        hosted: null,
        hasFiles: false,
        isDeleted: false,
        alive,
      };
      expect(nextHostingStep({ ...plain, ...view })).toEqual(step);
    });
  }
});
