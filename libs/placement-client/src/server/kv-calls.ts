/** KvService on a `Placement`: single keys are ranges and transactions of one. */

import type { KeyValue, Operation, Placement } from '@robustmq/placement';
import {
  type CallContext,
  type Implementation,
  type KvMethods,
  kvService,
  mount,
  type MountedService,
} from '@robustmq/rpc';
import { servePipeline } from './pipeline-calls.ts';
import { fittingResult } from './reply-size.ts';
import { optionsOf } from './served-registries.ts';

/**
 * KvService, for `openRpcServer`.
 *
 * @param reportMistake  told of what is no `PlacementError`: a mistake of ours
 */
export function kvCalls(
  placement: Placement,
  reportMistake: (error: unknown) => void,
): MountedService {
  const host = { placement, reportMistake };
  const implementation: Implementation<KvMethods> = {
    set: async ({ key, value, lease }, context) => {
      const put: Operation = { kind: 'put', key, value, lease };
      const { revision } = await change(placement, put, context);
      return { revision };
    },
    get: ({ key }, context) => readKey(placement, key, context),
    delete: async ({ key }, context) => {
      const range = { first: key, after: `${key}\u0000` };
      const { revision, results } = await change(placement, { kind: 'delete', range }, context);
      const [result] = results;
      return { present: result?.kind === 'delete' && result.deleted > 0, revision };
    },
    exists: async ({ key }, context) => {
      const { keyValue, revision } = await readKey(placement, key, context);
      return { present: keyValue !== null, revision };
    },
    range: (request, context) => placement.range(request, optionsOf(context)),
    transact: async (transaction, context) => {
      const result = await placement.transact(transaction, optionsOf(context));
      return fittingResult(transaction, result);
    },
    compact: async ({ revision }, context) => {
      await placement.compact(revision, optionsOf(context));
      return {};
    },
    pipeline: (call, context) => servePipeline(call, context, host),
  };
  return mount(kvService, implementation);
}

function change(placement: Placement, operation: Operation, context: CallContext) {
  const transaction = { compare: [], then: [operation], otherwise: [], requestId: null };
  return placement.transact(transaction, optionsOf(context));
}

async function readKey(
  placement: Placement,
  key: string,
  context: CallContext,
): Promise<{
  readonly keyValue: KeyValue | null;
  readonly revision: number & KeyValue['modRevision'];
}> {
  const request = {
    range: { first: key, after: `${key}\u0000` },
    limit: 1,
    content: 'whole',
    consistency: 'linearizable',
  } as const;
  const reply = await placement.range(request, optionsOf(context));
  return { keyValue: reply.keyValues[0] ?? null, revision: reply.revision };
}
