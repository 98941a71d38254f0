import type { KeyValue, Revision, WatchBatch } from '@robustmq/placement';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  healthService,
  kvService,
  leaseService,
  raftTransportService,
  watchService,
} from '../contract/store-services.ts';
import { codecCase as of, type CodecCase, testCodecs } from '../testing/codec-cases.ts';
import { loadProtoFiles } from '../testing/proto-files.ts';
import { MalformedMessageError } from '../wire/protobuf-reader.ts';
import { faultCodec } from './fault.ts';
import * as any from './placement.arbitrary.ts';
import { pipelineRepliesCodec, pipelineRequestsCodec, type PipelineReply } from './pipeline.ts';
import { watchBatchesOf, type WatchMessage, watchMessagesOf } from './watch.ts';

const root = loadProtoFiles([
  'robustmq/placement/v1/kv.proto',
  'robustmq/placement/v1/lease.proto',
  'robustmq/placement/v1/watch.proto',
  'robustmq/raft/v1/raft_transport.proto',
  'robustmq/fault/v1/fault.proto',
  'grpc/health/v1/health.proto',
]);

const kv = kvService.methods;
const lease = leaseService.methods;
const key = fc.record({ key: any.anyText });
const revision = fc.record({ revision: any.anyRevision });
const presence = fc.record({ present: fc.boolean(), revision: any.anyRevision });
const leaseId = fc.record({ id: any.anyLeaseId });
const set = fc.record({ key: any.anyText, value: any.anyBytes, lease: any.anyLeaseOrNull });
const get = fc.record({ keyValue: fc.option(any.anyKeyValue), revision: any.anyRevision });
const grant = fc.record({ ttlSeconds: any.anyRevision, requestId: any.anyRequestId });
const list = fc.record({ after: any.anyLeaseOrNull, limit: any.anyUint32 });
const listed = fc.record({ leases: fc.array(any.anyLease), more: fc.boolean() });
const P = 'robustmq.placement.v1';

const cases: readonly CodecCase[] = [
  of(`${P}.SetRequest`, kv.set.request, set),
  of(`${P}.SetReply`, kv.set.reply, revision),
  of(`${P}.GetRequest`, kv.get.request, key),
  of(`${P}.GetReply`, kv.get.reply, get),
  of(`${P}.DeleteRequest`, kv.delete.request, key),
  of(`${P}.DeleteReply`, kv.delete.reply, presence),
  of(`${P}.ExistsRequest`, kv.exists.request, key),
  of(`${P}.ExistsReply`, kv.exists.reply, presence),
  of(`${P}.RangeRequest`, kv.range.request, any.anyRangeRequest),
  of(`${P}.RangeReply`, kv.range.reply, any.anyRangeReply),
  of(`${P}.TransactRequest`, kv.transact.request, any.anyTransaction),
  of(`${P}.TransactReply`, kv.transact.reply, any.anyTransactionResult),
  of(`${P}.CompactRequest`, kv.compact.request, revision),
  of(`${P}.CompactReply`, kv.compact.reply, fc.constant({})),
  of(`${P}.PipelineRequests`, pipelineRequestsCodec, any.anyPipelineRequests),
  of(`${P}.PipelineReplies`, pipelineRepliesCodec, any.anyPipelineReplies),
  of(`${P}.GrantLeaseRequest`, lease.grant.request, grant),
  of(`${P}.Lease`, lease.grant.reply, any.anyLease),
  of(`${P}.KeepLeaseRequest`, lease.keepAlive.request, leaseId),
  of(`${P}.RevokeLeaseRequest`, lease.revoke.request, leaseId),
  of(`${P}.RevokeLeaseReply`, lease.revoke.reply, fc.constant({})),
  of(`${P}.ReadLeaseRequest`, lease.timeToLive.request, leaseId),
  of(`${P}.LeaseStatus`, lease.timeToLive.reply, any.anyLeaseStatus),
  of(`${P}.ListLeasesRequest`, lease.leases.request, list),
  of(`${P}.ListLeasesReply`, lease.leases.reply, listed),
  of(`${P}.WatchRequest`, watchService.methods.watch.request, any.anyWatchRequest),
  of(`${P}.WatchBatch`, watchService.methods.watch.reply, any.anyWatchMessage),
  of('robustmq.fault.v1.Fault', faultCodec, any.anyFault),
  of(
    'robustmq.raft.v1.ExchangeFrames',
    raftTransportService.methods.exchange.request,
    fc.array(fc.uint8Array({ maxLength: 20_000 })),
  ),
  of(
    'grpc.health.v1.HealthCheckRequest',
    healthService.methods.check.request,
    fc.record({ service: any.anyText }),
  ),
  of(
    'grpc.health.v1.HealthCheckResponse',
    healthService.methods.check.reply,
    fc.record({ status: fc.constantFrom('unknown', 'serving', 'notServing', 'serviceUnknown') }),
  ),
];

describe('the codec written by hand', () => {
  testCodecs(root, cases);

  test('does not keep what was received alive through a value', () => {
    const sent = kv.set.request.encode({ key: 'k', value: Uint8Array.of(1, 2), lease: null });
    expect(kv.set.request.decode(sent).value.buffer.byteLength).toBe(2);
  });

  test('refuses a number above 2^53 - 1, which would change on the way', () => {
    const bytes = Uint8Array.of(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
    expect(() => kv.compact.request.decode(bytes)).toThrow(MalformedMessageError);
  });

  test('joins batches by standing one behind the other', () => {
    const batch = fc.sample(any.anyPipelineReplies, { numRuns: 5, seed: 3 }).flat();
    const parts = batch.map((reply) => pipelineRepliesCodec.encode([reply]));
    expect(pipelineRepliesCodec.decode(Buffer.concat(parts))).toEqual(batch);
  });
});

const sampleKeyValue: KeyValue = {
  key: 'k',
  value: new Uint8Array(0),
  createRevision: 1 as Revision,
  modRevision: 2 as Revision,
  version: 2,
  lease: null,
};

const large = (bytes: number): PipelineReply['outcome'] => ({
  kind: 'range',
  reply: {
    kind: 'range',
    keyValues: [{ ...sampleKeyValue, value: new Uint8Array(bytes) }],
    count: 1,
    more: false,
    revision: sampleKeyValue.modRevision,
  },
});
test('a large batch of replies is cut into messages, none of them much larger than its replies', () => {
  const replies = [10, 200_000, 200_000, 10, 10, 900_000, 10].map((bytes, id) => ({
    id,
    outcome: large(bytes),
  }));
  const parts = pipelineRepliesCodec.parts?.(replies) ?? [];
  expect(parts.map((part) => part.map(({ id }) => id))).toEqual([[0, 1], [2, 3, 4], [5], [6]]);
});

test('a reply that no message can hold becomes a fault, alone', () => {
  const keyValue = { ...sampleKeyValue, key: 'k'.repeat(40_000) };
  const put = { kind: 'put', previous: keyValue } as const;
  const outcomeOf = (count: number): PipelineReply['outcome'] => ({
    kind: 'transact',
    result: {
      revision: sampleKeyValue.modRevision,
      succeeded: true,
      results: Array.from({ length: count }, () => put),
      repeated: false,
    },
  });
  // The estimate of 60 keys is beyond the limit, their bytes are not.
  const replies = [1, 60, 110].map((count) => ({ id: count, outcome: outcomeOf(count) }));
  const sent = (pipelineRepliesCodec.parts?.(replies) ?? []).flat();
  expect(sent.map(({ id, outcome }) => [id, outcome.kind])).toEqual([
    [1, 'transact'],
    [60, 'transact'],
    [110, 'fault'],
  ]);
});

test('a batch of events is cut into messages, and joined again', async () => {
  const keyValue = { ...sampleKeyValue, value: new Uint8Array(600_000) };
  const batch = {
    revision: sampleKeyValue.modRevision,
    events: [1, 2, 3].map(() => ({ kind: 'put' as const, keyValue })),
  };
  const messages = [...watchMessagesOf(batch), ...watchMessagesOf({ ...batch, events: [] })];
  expect(messages.map(({ events, more }) => [events.length, more])).toEqual([
    [1, true],
    [1, true],
    [1, false],
    [0, false],
  ]);
  async function* arriving(): AsyncGenerator<WatchMessage> {
    yield* messages;
  }
  const joined: WatchBatch[] = [];
  for await (const each of watchBatchesOf(arriving())) joined.push(each);
  expect(joined).toEqual([batch, { ...batch, events: [] }]);
});
