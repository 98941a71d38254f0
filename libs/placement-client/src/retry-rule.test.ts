import type { LeaseId, PlacementFault, Revision, Transaction } from '@robustmq/placement';
import { put } from '@robustmq/placement-conformance';
import type { PipelineCall } from '@robustmq/rpc';
import { describe, expect, test } from 'vitest';
import { mayRepeat, verdictOn } from './retry-rule.ts';

const range = { first: 'a', after: 'b' };
const reading = { kind: 'range', range, limit: 0, content: 'whole' } as const;
const bare: Transaction = { compare: [], then: [put('a', '1')], otherwise: [], requestId: null };

const change: PipelineCall = { kind: 'transact', transaction: bare };
const named: PipelineCall = { kind: 'transact', transaction: { ...bare, requestId: 'r' } };
const onlyReads: PipelineCall = { kind: 'transact', transaction: { ...bare, then: [reading] } };
const read: PipelineCall = {
  kind: 'range',
  request: { range, limit: 0, content: 'whole', consistency: 'linearizable' },
};
const revoke: PipelineCall = { kind: 'revoke', id: 1 as LeaseId };
const keep: PipelineCall = { kind: 'keep', id: 1 as LeaseId };
const compact: PipelineCall = { kind: 'compact', revision: 5 as Revision };
const grant: PipelineCall = { kind: 'grant', ttlSeconds: 5, requestId: null };

describe('which calls may be repeated', () => {
  const rows = [
    // call     expected  why
    [change, false, 'a change without a request id would be made twice'],
    [named, true, 'a request id makes twice the same as once'],
    [onlyReads, true, 'a transaction that only reads changes nothing'],
    [read, true, 'a read changes nothing'],
    [keep, true, 'a lease is kept from the later request on'],
    [revoke, true, 'a lease ends once'],
    [compact, true, 'history is forgotten once'],
    [grant, true, 'a lease that nobody knows has no keys and ends by itself'],
  ] as const;
  for (const [call, expected, why] of rows) {
    test(why, () => expect(mayRepeat(call)).toBe(expected));
  }
});

describe('what a failure means', () => {
  const detail = 'd';
  const unknown = { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail } as const;
  const full = { code: 'PLACEMENT_FULL', detail } as const;
  const overloaded = { code: 'PLACEMENT_OVERLOADED', detail } as const;
  const unavailable = { code: 'PLACEMENT_UNAVAILABLE', detail } as const;
  const elsewhere = { code: 'PLACEMENT_NOT_LEADER', leader: 'a:1' } as const;
  const invalid = { code: 'PLACEMENT_INVALID', detail } as const;
  const noLease = { code: 'PLACEMENT_LEASE_NOT_FOUND', lease: 1 as LeaseId } as const;
  const compacted = {
    code: 'PLACEMENT_REVISION_COMPACTED',
    requested: 5 as Revision,
    oldest: 6 as Revision,
  } as const;
  const told = (fault: PlacementFault) => ({ kind: 'give up', fault });
  const doubt = { kind: 'give up', fault: { code: 'PLACEMENT_OUTCOME_UNKNOWN' } };

  const rows = [
    // call   fault        in doubt  expected                        why
    [change, elsewhere, false, { kind: 'again', leader: 'a:1' }, 'a follower has done nothing'],
    [change, unavailable, false, { kind: 'again', leader: null }, 'nobody has done anything'],
    [change, unknown, false, told(unknown), 'a change that may have happened is not repeated'],
    [named, unknown, false, { kind: 'againAfterDoubt' }, 'one with a request id is'],
    [named, full, false, told(full), 'a full store is told'],
    [named, full, true, doubt, 'a full store says nothing about the attempt before'],
    [named, overloaded, true, doubt, 'nor does a busy one'],
    [named, invalid, true, told(invalid), 'what is not valid never was'],
    [keep, noLease, true, told(noLease), 'a lease that is gone cannot be kept'],
    [revoke, noLease, false, told(noLease), 'a lease that never was is told'],
    [revoke, noLease, true, { kind: 'done' }, 'a lease that is gone after doubt was revoked'],
    [compact, compacted, false, told(compacted), 'history that was forgotten before is told'],
    [compact, compacted, true, { kind: 'done' }, 'after doubt it was forgotten by this call'],
  ] as const;
  for (const [call, fault, inDoubt, expected, why] of rows) {
    test(why, () => expect(verdictOn(call, fault, inDoubt)).toMatchObject(expected));
  }
});
