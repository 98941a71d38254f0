/** MqttService on the registries: users and topics here, sessions in `mqtt-session-calls.ts`. */

import { SecretText, type Stored, type TopicRecord } from '@robustmq/placement-registry';
import {
  type Implementation,
  mount,
  type MountedService,
  type mqtt,
  mqttService,
  refusal,
  rpcStatus,
} from '@robustmq/rpc';
import { sessionCalls } from './mqtt-session-calls.ts';
import { refusing } from './registry-refusal.ts';
import { limitOf, optionsOf, type ServedRegistries } from './served-registries.ts';

/** What MqttService needs besides the registries. */
export interface MqttOptions extends ServedRegistries {
  /** A hash of a password in clear, as brokers check it; null: only hashes are taken. */
  readonly hashPassword: ((password: string) => Promise<string>) | null;
}

type Methods = Implementation<mqtt.MqttMethods>;

/** MqttService, for `openRpcServer`. */
export function mqttCalls(options: MqttOptions): MountedService {
  return mount(mqttService, {
    ...userCalls(options),
    ...topicCalls(options),
    ...sessionCalls(options),
  });
}

function userCalls(options: MqttOptions): Pick<Methods, 'listUser' | 'createUser' | 'deleteUser'> {
  return {
    listUser: (request, context) =>
      refusing(async () => {
        const { users } = options.registriesOf(request.clusterName);
        const call = optionsOf(context);
        if (request.userName !== '') {
          const stored = await users.read([request.userName], call);
          return { users: stored === null ? [] : [wireUser(stored.value)], more: false };
        }
        const after = request.after === '' ? null : users.table.keyOf([request.after]);
        const page = await users.list({ after, limit: limitOf(request) }, call);
        return { users: page.items.map(({ value }) => wireUser(value)), more: page.next !== null };
      }),
    createUser: (request, context) =>
      refusing(async () => {
        const { users } = options.registriesOf(request.clusterName);
        const passwordHash = new SecretText(await hashOf(request, options));
        const { userName: username, isSuperuser } = request;
        await users.create({ username, passwordHash, isSuperuser }, optionsOf(context));
        return {};
      }),
    deleteUser: ({ clusterName, userName }, context) =>
      refusing(async () => {
        await options.registriesOf(clusterName).users.delete([userName], optionsOf(context));
        return {};
      }),
  };
}

/** Never names either in a refusal. */
async function hashOf(request: mqtt.CreateUserRequest, options: MqttOptions): Promise<string> {
  const { password, passwordHash } = request;
  if ((password === '') === (passwordHash === '')) {
    throw refusal(rpcStatus.INVALID_ARGUMENT, 'give a password or its hash, and not both');
  }
  if (password === '') return passwordHash;
  if (options.hashPassword !== null) return options.hashPassword(password);
  throw refusal(rpcStatus.UNIMPLEMENTED, 'give the hash of the password: none is made here');
}

function wireUser(user: { readonly username: string; readonly isSuperuser: boolean }): mqtt.User {
  return { userName: user.username, isSuperuser: user.isSuperuser };
}

function topicCalls(
  options: MqttOptions,
): Pick<Methods, 'listTopic' | 'createTopic' | 'deleteTopic' | 'setTopicRetainMessage'> {
  return {
    listTopic: (request, context) =>
      refusing(async () => {
        const { topics } = options.registriesOf(request.clusterName);
        const call = optionsOf(context);
        if (request.topicName !== '') {
          const stored = await topics.read(request.topicName, call);
          return { topics: stored === null ? [] : [wireTopic(stored)], more: false };
        }
        const after = request.after === '' ? null : topics.table.keyOf([request.after]);
        const page = await topics.list({ after, limit: limitOf(request) }, call);
        return { topics: page.items.map(wireTopic), more: page.next !== null };
      }),
    createTopic: ({ clusterName, topicName }, context) =>
      refusing(async () => {
        const { topics } = options.registriesOf(clusterName);
        const call = optionsOf(context);
        const isNew = await topics.create(topicName, options.clock.nowMs(), call);
        if (!isNew) throw refusal(rpcStatus.ALREADY_EXISTS, `topic ${topicName} exists already`);
        const stored = await topics.read(topicName, call);
        return { topicId: stored === null ? '' : String(stored.createRevision) };
      }),
    deleteTopic: ({ clusterName, topicName }, context) =>
      refusing(async () => {
        await options.registriesOf(clusterName).topics.delete(topicName, optionsOf(context));
        return {};
      }),
    setTopicRetainMessage: (request, context) =>
      refusing(async () => {
        const { topics } = options.registriesOf(request.clusterName);
        const expiresAtMs = request.retainMessageExpiredAt || null;
        const pointer = request.retainMessage.length === 0 ? null : request.retainMessage;
        const retained = { sequence: 'next', pointer, expiresAtMs } as const;
        await topics.retain(request.topicName, retained, optionsOf(context));
        return {};
      }),
  };
}

function wireTopic({ value, createRevision }: Stored<TopicRecord>): mqtt.Topic {
  const pointer = value.retained?.pointer ?? null;
  return {
    topicId: String(createRevision),
    topicName: value.topic,
    ...(pointer === null ? {} : { retainMessage: pointer }),
    retainMessageExpiredAt: value.retained?.expiresAtMs ?? 0,
    createTime: value.createdAtMs,
  };
}
