import type { CounterField } from './broker-counters.ts';
import type { MetricDefinition, ScalarMetric } from './metric-definition.ts';
import { counter, split } from './metric-definition.ts';

type PacketField = readonly [packetType: string, field: CounterField];

/** Packet types that a server accepts (MQTT-5.0 §2.1.2); PUBLISH is split by QoS below. */
const received: readonly PacketField[] = [
  ['connect', 'connectReceived'],
  ['puback', 'pubackReceived'],
  ['pubrec', 'pubrecReceived'],
  ['pubrel', 'pubrelReceived'],
  ['pubcomp', 'pubcompReceived'],
  ['subscribe', 'subscribeReceived'],
  ['unsubscribe', 'unsubscribeReceived'],
  ['pingreq', 'pingreqReceived'],
  ['disconnect', 'disconnectReceived'],
  ['auth', 'authReceived'],
];

const sent: readonly PacketField[] = [
  ['connack', 'connackSent'],
  ['puback', 'pubackSent'],
  ['pubrec', 'pubrecSent'],
  ['pubrel', 'pubrelSent'],
  ['pubcomp', 'pubcompSent'],
  ['suback', 'subackSent'],
  ['unsuback', 'unsubackSent'],
  ['pingresp', 'pingrespSent'],
  ['disconnect', 'disconnectSent'],
  ['auth', 'authSent'],
];

function byQos(
  name: string,
  help: string,
  fields: readonly [CounterField, CounterField, CounterField],
): ScalarMetric {
  const [zero, one, two] = fields;
  return split({ name, unit: 'packets', help }, 'qos', { 0: zero, 1: one, 2: two });
}

function packets(rows: readonly PacketField[], direction: 'received' | 'sent'): ScalarMetric[] {
  return rows.map(([packetType, field]) =>
    counter(
      `mqtt_packets_${packetType}_${direction}`,
      'packets',
      field,
      `${packetType.toUpperCase()} packets ${direction}`,
    ),
  );
}

/** What crosses the wire, by packet type and direction. */
export const packetMetrics: readonly MetricDefinition[] = [
  counter('mqtt_bytes_received', 'bytes', 'bytesReceived', 'Bytes of MQTT packets received'),
  counter('mqtt_bytes_sent', 'bytes', 'bytesSent', 'Bytes of MQTT packets sent'),
  byQos('mqtt_packets_publish_received', 'PUBLISH packets received, repeated ones included', [
    'publishReceivedQos0',
    'publishReceivedQos1',
    'publishReceivedQos2',
  ]),
  ...packets(received, 'received'),
  byQos('mqtt_packets_publish_sent', 'PUBLISH packets sent, repeated ones included', [
    'publishSentQos0',
    'publishSentQos1',
    'publishSentQos2',
  ]),
  ...packets(sent, 'sent'),
];
