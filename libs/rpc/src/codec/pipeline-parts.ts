/** Cuts a batch of replies into messages. */
import type { KeyValue, OperationResult } from '@robustmq/placement';
import type { PipelineReply } from './pipeline.ts';

/** A message has about as much; a larger reply travels alone. */
const PART_BYTES = 256 * 1024;

/** LIMIT: REPLY_BYTES_MAX. The outcome of a call whose reply is larger is told as unknown. */
const REPLY_BYTES_MAX = 4 * 1024 * 1024;

/** @param encodedBytes  of one reply */
export function replyParts(
  replies: readonly PipelineReply[],
  encodedBytes: (reply: PipelineReply) => number,
): readonly (readonly PipelineReply[])[] {
  const parts: PipelineReply[][] = [];
  let room = 0;
  for (const each of replies) {
    const reply = replyBytes(each) <= REPLY_BYTES_MAX ? each : tellable(each, encodedBytes(each));
    const size = replyBytes(reply);
    const last = parts.at(-1);
    if (last !== undefined && size <= room) last.push(reply);
    else parts.push([reply]);
    room = (last !== undefined && size <= room ? room : PART_BYTES) - size;
  }
  return parts;
}

/** One reply that nobody can send must not end the stream for the others. */
function tellable(reply: PipelineReply, bytes: number): PipelineReply {
  if (bytes <= REPLY_BYTES_MAX) return reply;
  const detail = `the reply of ${bytes} bytes exceeds ${REPLY_BYTES_MAX}`;
  const fault = { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail } as const;
  return { id: reply.id, outcome: { kind: 'fault', fault } };
}

/** An upper bound that is cheap to have: no UTF-16 unit takes more than three bytes. */
function replyBytes({ outcome }: PipelineReply): number {
  switch (outcome.kind) {
    case 'range':
      return 64 + keyValuesBytes(outcome.reply.keyValues);
    case 'transact':
      return outcome.result.results.reduce((bytes, result) => bytes + resultBytes(result), 64);
    case 'readLease':
      return outcome.status.keys.reduce((bytes, key) => bytes + 8 + 3 * key.length, 64);
    case 'fault':
      return 128 + ('detail' in outcome.fault ? 3 * outcome.fault.detail.length : 0);
    default:
      return 64;
  }
}

function resultBytes(result: OperationResult): number {
  if (result.kind === 'range') return 32 + keyValuesBytes(result.keyValues);
  if (result.kind === 'put' && result.previous !== null) return keyValuesBytes([result.previous]);
  return 16;
}

function keyValuesBytes(keyValues: readonly KeyValue[]): number {
  return keyValues.reduce((bytes, { key, value }) => bytes + 64 + 3 * key.length + value.length, 0);
}
