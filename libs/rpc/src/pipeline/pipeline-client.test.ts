import { type LeaseId, type PlacementError, type Revision } from '@robustmq/placement';
import { afterEach, describe, expect, test } from 'vitest';
import { defaultChannelLimits, type RpcChannel } from '../client/rpc-channel.ts';
import type { PipelineCall, PipelineOutcome, PipelineRequest } from '../codec/pipeline.ts';
import type { DuplexCall } from '../duplex-call.ts';
import { kvStub } from '../testing/kv-stub.ts';
import { rejection, RpcFixture } from '../testing/rpc-fixture.ts';
import {
  defaultPipelineClientLimits,
  PipelineClient,
  type PipelineClientLimits,
} from './pipeline-client.ts';

const fixture = new RpcFixture();
afterEach(() => fixture.close());

const SOON = { deadlineMs: 10_000, signal: null };
const keep = (id: number): PipelineCall & { kind: 'keep' } => ({ kind: 'keep', id: id as LeaseId });
const kept = (id: number): PipelineOutcome => ({
  kind: 'keep',
  lease: { id: id as LeaseId, ttlSeconds: 9 },
});
const range: PipelineCall = {
  kind: 'range',
  request: {
    range: { first: '', after: null },
    limit: 0,
    content: 'whole',
    consistency: 'linearizable',
  },
};

type Stream = DuplexCall<
  readonly PipelineRequest[],
  readonly { readonly id: number; readonly outcome: PipelineOutcome }[]
>;

async function open(
  take: (requests: readonly PipelineRequest[], stream: Stream) => void,
  limits: Partial<PipelineClientLimits>,
): Promise<{ readonly client: PipelineClient; readonly channel: RpcChannel }> {
  const pipeline = (stream: Stream): void => stream.onMessage((each) => take(each, stream));
  const server = await fixture.serve([kvStub({ pipeline })], {});
  const channel = fixture.channel(server.port, {});
  const client = new PipelineClient(channel, { ...defaultPipelineClientLimits, ...limits });
  fixture.cleanup(() => client.close());
  return { client, channel };
}

async function faultOf(call: Promise<unknown>): Promise<PlacementError['fault']> {
  return ((await rejection(call)) as PlacementError).fault;
}

function leaseOf({ call }: PipelineRequest): number {
  return 'id' in call ? call.id : 0;
}

describe('a pipeline', () => {
  test('gives each call its own reply, in whatever order they come', async () => {
    let batches = 0;
    const { client } = await open((requests, stream) => {
      batches += 1;
      const replies = requests.map((each) => ({ id: each.id, outcome: kept(leaseOf(each)) }));
      stream.write(replies.toReversed());
    }, {});
    const ids = Array.from({ length: 1000 }, (_, index) => index + 1);
    const outcomes = await Promise.all(ids.map((id) => client.call(keep(id), SOON)));
    expect(outcomes.map(({ lease }) => lease.id)).toEqual(ids);
    expect(batches).toBeLessThan(20);
  });

  test('rejects a call with the fault that the server gives, and goes on', async () => {
    const fault = { code: 'PLACEMENT_LEASE_NOT_FOUND', lease: 5 as LeaseId } as const;
    const { client } = await open((requests, stream) => {
      const outcome = (each: PipelineRequest): PipelineOutcome =>
        leaseOf(each) === 5 ? { kind: 'fault', fault } : kept(leaseOf(each));
      stream.write(requests.map((each) => ({ id: each.id, outcome: outcome(each) })));
    }, {});
    expect(await faultOf(client.call(keep(5), SOON))).toEqual(fault);
    expect(await client.call(keep(6), SOON)).toEqual(kept(6));
  });

  test('brings a batch of replies that is larger than a message', async () => {
    const { client } = await open((requests, stream) => {
      const replies = requests.map(({ id }) => {
        const keyValue = {
          key: 'a',
          value: new Uint8Array(1_000_000),
          createRevision: 1 as Revision,
          modRevision: 1 as Revision,
          version: 1,
          lease: null,
        };
        const reply = { keyValues: [keyValue], count: 1, more: false, revision: 1 as Revision };
        const outcome = { kind: 'range', reply: { kind: 'range', ...reply } } as const;
        return { id, outcome };
      });
      stream.write(replies);
    }, {});
    const calls = Array.from({ length: 10 }, () => client.call(range, SOON));
    for (const outcome of await Promise.all(calls)) expect(outcome.kind).toBe('range');
  });

  const lost: readonly { readonly call: PipelineCall; readonly code: string }[] = [
    { call: range, code: 'PLACEMENT_UNAVAILABLE' },
    { call: { kind: 'readLease', id: 1 as LeaseId }, code: 'PLACEMENT_UNAVAILABLE' },
    { call: keep(1), code: 'PLACEMENT_OUTCOME_UNKNOWN' },
    { call: { kind: 'compact', revision: 1 as Revision }, code: 'PLACEMENT_OUTCOME_UNKNOWN' },
  ];
  for (const { call, code } of lost) {
    test(`ends a ${call.kind} with ${code} when the deadline passes or the stream is lost`, async () => {
      const { client } = await open((requests, stream) => {
        const greeting = requests.find((each) => leaseOf(each) === 99);
        if (greeting !== undefined) stream.write([{ id: greeting.id, outcome: kept(99) }]);
        else if (requests.some(({ deadlineMs }) => deadlineMs > 20))
          stream.abort(new Error('lost'));
      }, {});
      // The stream stands, so that the call is sent at once.
      await client.call(keep(99), SOON);
      const options = { deadlineMs: 20, signal: null };
      expect((await faultOf(client.call(call, options))).code).toBe(code);
      expect((await faultOf(client.call(call, SOON))).code).toBe(code);
    });
  }

  test('opens a new stream after the last was lost, and sends nothing twice', async () => {
    const seen: number[] = [];
    const { client } = await open((requests, stream) => {
      for (const each of requests) {
        seen.push(leaseOf(each));
        if (leaseOf(each) === 1) stream.abort(new Error('lost'));
        else stream.write([{ id: each.id, outcome: kept(leaseOf(each)) }]);
      }
    }, {});
    expect((await faultOf(client.call(keep(1), SOON))).code).toBe('PLACEMENT_OUTCOME_UNKNOWN');
    expect(await client.call(keep(2), SOON)).toEqual(kept(2));
    expect(seen).toEqual([1, 2]);
  });

  test('says that nothing happened when no server was reached or let it in', async () => {
    const server = await fixture.serve([kvStub({})], { clusterToken: 'geheim' });
    const limits = { ...defaultChannelLimits };
    const stranger = new PipelineClient(
      fixture.channel(server.port, { limits }),
      defaultPipelineClientLimits,
    );
    expect((await faultOf(stranger.call(keep(1), SOON))).code).toBe('PLACEMENT_UNAUTHENTICATED');
    await server.close(0);
    const late = new PipelineClient(
      fixture.channel(server.port, { limits }),
      defaultPipelineClientLimits,
    );
    expect((await faultOf(late.call(keep(1), SOON))).code).toBe('PLACEMENT_UNAVAILABLE');
  });

  test('refuses what is beyond its bounds, at once', async () => {
    const { client } = await open(() => {}, { pipelineCallsMax: 2, messageBytesMax: 100 });
    const first = faultOf(client.call(keep(1), SOON));
    const second = faultOf(client.call(keep(2), SOON));
    expect((await faultOf(client.call(keep(3), SOON))).code).toBe('PLACEMENT_OVERLOADED');
    const value = new Uint8Array(200);
    const then = [{ kind: 'put', key: 'a', value, lease: null } as const];
    const transaction = { compare: [], then, otherwise: [], requestId: null };
    const large = await faultOf(client.call({ kind: 'transact', transaction }, SOON));
    expect(large.code).toBe('PLACEMENT_INVALID');
    client.close();
    // Nothing was sent yet: the stream had not been let in.
    expect([(await first).code, (await second).code]).toEqual([
      'PLACEMENT_UNAVAILABLE',
      'PLACEMENT_UNAVAILABLE',
    ]);
    expect((await faultOf(client.call(keep(4), SOON))).code).toBe('PLACEMENT_CLOSED');
  });

  test('refuses calls beyond the bytes that may wait', async () => {
    const { client } = await open(() => {}, { pipelineUnsentBytesMax: 20 });
    const first = faultOf(client.call(keep(1), SOON));
    const second = faultOf(client.call(keep(2), SOON));
    expect((await faultOf(client.call(keep(3), SOON))).code).toBe('PLACEMENT_OVERLOADED');
    client.close();
    await Promise.all([first, second]);
  });

  test('forgets a call whose caller has given up', async () => {
    const { client } = await open((requests, stream) => {
      stream.write(requests.map((each) => ({ id: each.id, outcome: kept(leaseOf(each)) })));
    }, {});
    const controller = new AbortController();
    const options = { deadlineMs: 10_000, signal: controller.signal };
    const call = faultOf(client.call(keep(1), options));
    controller.abort();
    // It was not sent yet, so nothing happened.
    expect((await call).code).toBe('PLACEMENT_UNAVAILABLE');
    expect((await faultOf(client.call(keep(2), options))).code).toBe('PLACEMENT_UNAVAILABLE');
    expect(await client.call(keep(3), SOON)).toEqual(kept(3));
  });
});
