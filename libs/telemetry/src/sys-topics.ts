import type { BrokerCounters } from './broker-counters.ts';
import type { StatsSnapshot } from './stats-with-max.ts';

/** The node that the values are about. */
export interface SysNode {
  /** The topic level after `$SYS/brokers/`: without `/`, `+` and `#`. */
  readonly name: string;
  readonly version: string;
  /** One line for people: what this is. */
  readonly description: string;
}

/** Everything that the values are computed from. */
export interface SysSnapshot {
  readonly counters: Readonly<BrokerCounters>;
  readonly stats: StatsSnapshot;
  readonly uptimeSeconds: number;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: number;
  /** The names of all nodes of the cluster, this one included. */
  readonly nodeNames: readonly string[];
}

/** A topic name and its payload (UTF-8 text). */
export type SysTopicValue = readonly [topic: string, payload: string];

/**
 * The whole `$SYS` tree of one node, in a fixed order. To be published as retained QoS 0 messages by
 * the broker itself; MQTT-5.0 §4.7.2 keeps clients from publishing there.
 */
export function sysTopicValues(snapshot: SysSnapshot, node: SysNode): SysTopicValue[] {
  const root = `$SYS/brokers/${node.name}`;
  return [
    ['$SYS/brokers', snapshot.nodeNames.join(',')],
    [`${root}/version`, node.version],
    [`${root}/uptime`, String(Math.floor(snapshot.uptimeSeconds))],
    [`${root}/datetime`, new Date(snapshot.nowMs).toISOString()],
    [`${root}/sysdescr`, node.description],
    ...snapshot.stats.flatMap(({ name, count, max }): SysTopicValue[] => [
      [`${root}/stats/${name}/count`, String(count)],
      [`${root}/stats/${name}/max`, String(max)],
    ]),
    ...metricsOf(snapshot).map(
      ([leaf, value]): SysTopicValue => [`${root}/metrics/${leaf}`, String(value)],
    ),
  ];
}

type Leaf = readonly [leaf: string, value: number];

function metricsOf({ counters, stats }: SysSnapshot): readonly Leaf[] {
  const retained = stats.find((stat) => stat.name === 'retained')?.count ?? 0;
  return [
    ['bytes/received', counters.bytesReceived],
    ['bytes/sent', counters.bytesSent],
    ...messagesOf(counters),
    ['messages/retained', retained],
    ...packetsOf(counters),
  ];
}

function messagesOf(counters: Readonly<BrokerCounters>): readonly Leaf[] {
  return [
    ['messages/received', publishReceived(counters)],
    ['messages/sent', publishSent(counters)],
    ['messages/dropped', dropped(counters)],
    ['messages/qos0/received', counters.publishReceivedQos0],
    ['messages/qos0/sent', counters.publishSentQos0],
    ['messages/qos1/received', counters.publishReceivedQos1],
    ['messages/qos1/sent', counters.publishSentQos1],
    ['messages/qos2/received', counters.publishReceivedQos2],
    ['messages/qos2/sent', counters.publishSentQos2],
  ];
}

function packetsOf(counters: Readonly<BrokerCounters>): readonly Leaf[] {
  const received = packetsReceived(counters);
  const sent = packetsSent(counters);
  return [
    ['packets/received', sumOf(received)],
    ['packets/sent', sumOf(sent)],
    ...received,
    ...sent,
  ];
}

function packetsReceived(counters: Readonly<BrokerCounters>): readonly Leaf[] {
  return [
    ['packets/connect', counters.connectReceived],
    ['packets/publish/received', publishReceived(counters)],
    ['packets/puback/received', counters.pubackReceived],
    ['packets/pubrec/received', counters.pubrecReceived],
    ['packets/pubrel/received', counters.pubrelReceived],
    ['packets/pubcomp/received', counters.pubcompReceived],
    ['packets/subscribe', counters.subscribeReceived],
    ['packets/unsubscribe', counters.unsubscribeReceived],
    ['packets/pingreq', counters.pingreqReceived],
    ['packets/disconnect/received', counters.disconnectReceived],
    ['packets/auth/received', counters.authReceived],
  ];
}

function packetsSent(counters: Readonly<BrokerCounters>): readonly Leaf[] {
  return [
    ['packets/connack', counters.connackSent],
    ['packets/publish/sent', publishSent(counters)],
    ['packets/puback/sent', counters.pubackSent],
    ['packets/pubrec/sent', counters.pubrecSent],
    ['packets/pubrel/sent', counters.pubrelSent],
    ['packets/pubcomp/sent', counters.pubcompSent],
    ['packets/suback', counters.subackSent],
    ['packets/unsuback', counters.unsubackSent],
    ['packets/pingresp', counters.pingrespSent],
    ['packets/disconnect/sent', counters.disconnectSent],
    ['packets/auth/sent', counters.authSent],
  ];
}

function sumOf(leaves: readonly Leaf[]): number {
  return leaves.reduce((sum, [, value]) => sum + value, 0);
}

function publishReceived(counters: Readonly<BrokerCounters>): number {
  return counters.publishReceivedQos0 + counters.publishReceivedQos1 + counters.publishReceivedQos2;
}

function publishSent(counters: Readonly<BrokerCounters>): number {
  return counters.publishSentQos0 + counters.publishSentQos1 + counters.publishSentQos2;
}

/** All reasons together, as `robust_mqtt_messages_dropped_total` summed over its label. */
function dropped(counters: Readonly<BrokerCounters>): number {
  return (
    counters.droppedQueueFullQos0 +
    counters.droppedQueueFull +
    counters.droppedExpired +
    counters.droppedNoSubscriber +
    counters.droppedNotAuthorized +
    counters.droppedTooLarge +
    counters.droppedTrimmed
  );
}
