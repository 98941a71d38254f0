import { describe, expect, test } from 'vitest';
import { loadProtoFiles } from '../testing/proto-files.ts';
import { clusterService, mqttService, placementCenterService } from './control-services.ts';
import type { Codec } from './method.ts';

const { methods: center } = placementCenterService;
const { methods: mqtt } = mqttService;

interface Case {
  readonly why: string;
  readonly codec: Codec<never>;
  readonly message: unknown;
}

function of<Message>(why: string, codec: Codec<Message>, message: Message): Case {
  return { why, codec: codec as Codec<unknown> as Codec<never>, message };
}

const registration = {
  clusterType: 'MQTTBrokerServer',
  clusterName: 'größe',
  nodeIp: '10.0.0.1',
  nodeId: Number.MAX_SAFE_INTEGER,
  nodeInnerAddr: '10.0.0.1:9981',
  extendInfo: '{}',
} as const;
const topic = { topicId: '1', topicName: 'a/b', retainMessageExpiredAt: 0, createTime: 2 ** 52 };

const cases: readonly Case[] = [
  of('names of enumerations and numbers of 53 bits', center.registerNode.request, registration),
  of('only default values', center.heartbeat.request, {
    clusterType: 'PlacementCenter',
    clusterName: '',
    nodeId: 0,
  }),
  of('an optional enumeration that is absent', center.nodeList.request, { clusterName: 'c' }),
  of('an optional enumeration with the value 0', center.nodeList.request, {
    clusterName: 'c',
    clusterType: 'PlacementCenter',
  }),
  of('optional bytes that are absent', center.getResourceConfig.reply, {}),
  of('optional bytes that are empty', center.getResourceConfig.reply, {
    config: Buffer.alloc(0),
  }),
  of('a message within that is absent', mqtt.createSession.request, {
    clusterName: 'c',
    session: null,
  }),
  of('messages that repeat', mqtt.listTopic.reply, {
    topics: [topic, { ...topic, retainMessage: Buffer.of(1) }],
    more: true,
  }),
  of('numbers that repeat', clusterService.methods.promote.request, { nodeIds: [1, 2 ** 40] }),
  of('lists without items', mqtt.listUser.reply, { users: [], more: false }),
];

describe('a message of the control plane comes back as its type says', () => {
  for (const { why, codec, message } of cases) {
    test(`with ${why}`, () => {
      expect(codec.decode(codec.encode(message as never))).toEqual(message);
    });
  }

  test('and is understood by who has the proto files', () => {
    const root = loadProtoFiles(['robustmq/placement/v1/placement_center.proto']);
    const type = root.lookupType('robustmq.placement.v1.RegisterNodeRequest');
    const foreign = type.decode(center.registerNode.request.encode(registration));
    expect(type.toObject(foreign, { longs: Number, enums: String })).toEqual(registration);
  });
});
