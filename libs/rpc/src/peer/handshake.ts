/** Who opens a stream to whom: a wrong address or a second cluster must not mix frames. */
import { status } from '@grpc/grpc-js';
import type { NodeId } from '@robustmq/raft';
import { refusal } from '../rpc-error.ts';
import type { CallContext } from '../server/implementation.ts';

const CLUSTER = 'robustmq-cluster';
const SENDER = 'robustmq-node';
const RECEIVER = 'robustmq-peer';

interface Identity {
  readonly cluster: string;
  readonly self: NodeId;
}

/** What the sender says. A cluster's name may have any characters, metadata only some. */
export function handshakeOf({ cluster, self }: Identity, to: NodeId): Record<string, string> {
  return { [CLUSTER]: encodeURIComponent(cluster), [SENDER]: `${self}`, [RECEIVER]: `${to}` };
}

/** Who the sender is. @throws RpcError FAILED_PRECONDITION when the stream is not meant for this node */
export function senderOf({ cluster, self }: Identity, context: CallContext): NodeId {
  const given = context.metadata(CLUSTER) ?? '';
  if (given !== encodeURIComponent(cluster)) {
    const detail = `this is cluster ${cluster}, not ${given}`;
    throw refusal(status.FAILED_PRECONDITION, detail);
  }
  const receiver = context.metadata(RECEIVER);
  if (receiver !== `${self}`) {
    throw refusal(status.FAILED_PRECONDITION, `this is node ${self}, not ${receiver}`);
  }
  const sender = Number(context.metadata(SENDER) ?? '');
  if (!Number.isSafeInteger(sender) || sender < 1 || sender === self) {
    throw refusal(status.FAILED_PRECONDITION, `${sender} is no other node`);
  }
  return sender as NodeId;
}
