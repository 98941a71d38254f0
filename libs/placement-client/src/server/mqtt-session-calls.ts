/**
 * The calls of MqttService on sessions.
 *
 * They name no epoch: whoever calls is taken for the newest owner, and the last one wins. Brokers that
 * must be fenced use the registries on a `Placement` of their own.
 */

import type { CallOptions } from '@robustmq/placement';
import type {
  Registries,
  SessionOwner,
  SessionRecord,
  SessionUpdate,
} from '@robustmq/placement-registry';
import { type Implementation, type mqtt, refusal, rpcStatus } from '@robustmq/rpc';
import { refusing } from './registry-refusal.ts';
import { limitOf, optionsOf, type ServedRegistries } from './served-registries.ts';

type SessionMethods = Pick<
  Implementation<mqtt.MqttMethods>,
  | 'listSession'
  | 'createSession'
  | 'updateSession'
  | 'deleteSession'
  | 'getShareSubLeader'
  | 'saveLastWillMessage'
>;

/** Part of MqttService. */
export function sessionCalls({ registriesOf, clock }: ServedRegistries): SessionMethods {
  return {
    listSession: (request, context) =>
      refusing(() => listSessions(registriesOf(request.clusterName), request, optionsOf(context))),
    createSession: ({ clusterName, session }, context) =>
      refusing(async () => {
        if (session === null) throw refusal(rpcStatus.INVALID_ARGUMENT, 'the session is missing');
        const registries = registriesOf(clusterName);
        const call = optionsOf(context);
        const owner = await ownerOf(registries, session, call);
        const claim = {
          clientId: session.clientId,
          owner,
          sessionExpirySeconds: session.sessionExpiry,
          willDelaySeconds: session.lastWillDelayInterval,
          nowMs: session.createTime || clock.nowMs(),
        };
        await registries.sessions.claim(claim, call);
        return {};
      }),
    updateSession: (request, context) =>
      refusing(async () => {
        await updateSession(registriesOf(request.clusterName), request, {
          ...optionsOf(context),
          nowMs: clock.nowMs(),
        });
        return {};
      }),
    deleteSession: ({ clusterName, clientId }, context) =>
      refusing(async () => {
        const { sessions } = registriesOf(clusterName);
        const call = optionsOf(context);
        const stored = await sessions.read(clientId, call);
        if (stored !== null) await sessions.delete(stored.value, call);
        return {};
      }),
    getShareSubLeader: ({ clusterName, groupName }, context) =>
      refusing(async () => {
        const { nodes, shareLeaders } = registriesOf(clusterName);
        const call = optionsOf(context);
        const { nodeId } = await shareLeaders.leaderOf(groupName, call);
        const node = (await nodes.read({ clusterType: 'mqtt-broker', nodeId }, call))?.value;
        const brokerAddr = node?.innerAddress ?? '';
        return { brokerId: nodeId, brokerAddr, extendInfo: node?.extendInfo ?? '' };
      }),
    saveLastWillMessage: ({ clusterName, clientId, lastWillMessage }, context) =>
      refusing(async () => {
        const registries = registriesOf(clusterName);
        const call = optionsOf(context);
        const { epoch } = await existing(registries, clientId, call);
        if (lastWillMessage.length === 0) {
          await registries.wills.discard({ clientId, epoch }, call);
        } else {
          await registries.wills.save({ clientId, epoch, message: lastWillMessage }, call);
        }
        return {};
      }),
  };
}

async function listSessions(
  registries: Registries,
  request: mqtt.ListSessionRequest,
  call: CallOptions,
): Promise<mqtt.ListSessionReply> {
  const { sessions } = registries;
  const wire = (session: SessionRecord) => wireSession(registries, session, call);
  if (request.clientId !== '') {
    const stored = await sessions.read(request.clientId, call);
    return { sessions: stored === null ? [] : [await wire(stored.value)], more: false };
  }
  const after = request.after === '' ? null : sessions.table.keyOf([request.after]);
  const page = await sessions.list({ after, limit: limitOf(request) }, call);
  const listed = await Promise.all(page.items.map(({ value }) => wire(value)));
  return { sessions: listed, more: page.next !== null };
}

async function updateSession(
  registries: Registries,
  request: mqtt.UpdateSessionRequest,
  call: CallOptions & { readonly nowMs: number },
): Promise<void> {
  const { sessions } = registries;
  const session = await existing(registries, request.clientId, call);
  if (request.brokerId === 0) {
    await sessions.release(session, request.disconnectTime || call.nowMs, call);
    return;
  }
  const owner = await ownerOf(registries, request, call);
  const { owner: before } = session;
  if (owner?.nodeId === before?.nodeId && owner?.incarnation === before?.incarnation) {
    await sessions.update(session, changesOf(request), call);
    return;
  }
  const { clientId, sessionExpirySeconds, willDelaySeconds } = session;
  const nowMs = request.reconnectTime || call.nowMs;
  const claim = { clientId, owner, sessionExpirySeconds, willDelaySeconds, nowMs };
  await sessions.takeOver(session, claim, call);
}

function changesOf(request: mqtt.UpdateSessionRequest): SessionUpdate {
  return {
    connectionId: request.connectionId,
    ...(request.reconnectTime === 0 ? {} : { connectedAtMs: request.reconnectTime }),
    ...(request.disconnectTime === 0 ? {} : { disconnectedAtMs: request.disconnectTime }),
  };
}

/** The living broker that a request names. */
async function ownerOf(
  { nodes }: Registries,
  named: { readonly brokerId: number; readonly connectionId: number },
  call: CallOptions,
): Promise<SessionOwner | null> {
  if (named.brokerId === 0) return null;
  const stored = await nodes.read({ clusterType: 'mqtt-broker', nodeId: named.brokerId }, call);
  if (stored === null) {
    const detail = `broker ${named.brokerId} is not registered`;
    throw refusal(rpcStatus.FAILED_PRECONDITION, detail);
  }
  const { nodeId, incarnation } = stored.value;
  return { nodeId, incarnation, connectionId: named.connectionId };
}

async function existing(
  { sessions }: Registries,
  clientId: string,
  call: CallOptions,
): Promise<SessionRecord> {
  const stored = await sessions.read(clientId, call);
  if (stored !== null) return stored.value;
  throw refusal(rpcStatus.NOT_FOUND, `session ${clientId} does not exist`);
}

async function wireSession(
  { wills }: Registries,
  session: SessionRecord,
  call: CallOptions,
): Promise<mqtt.Session> {
  return {
    clientId: session.clientId,
    sessionExpiry: session.sessionExpirySeconds,
    isContainLastWill: (await wills.read(session.clientId, call)) !== null,
    lastWillDelayInterval: session.willDelaySeconds,
    createTime: session.createdAtMs,
    connectionId: session.owner?.connectionId ?? 0,
    brokerId: session.owner?.nodeId ?? 0,
    reconnectTime: session.connectedAtMs ?? 0,
    disconnectTime: session.disconnectedAtMs ?? 0,
  };
}
