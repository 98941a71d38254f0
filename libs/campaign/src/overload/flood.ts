/** One publisher of a flood: builds packets as bytes, and holds back what the broker does not take. */
import type { MqttConnection } from '@robustmq/mqtt-client';
import { encodePacket, NO_PROPERTIES } from '@robustmq/mqtt-codec';
import type { Counters, FloodJob } from './traffic-job.ts';

const WINDOW_MAX = 512;
const PENDING_BYTES_MAX = 256 * 1024;
/** Packets in one write. */
const BATCH_MAX = 64;

export class Flood {
  readonly #connection: MqttConnection;
  readonly #counters: Counters;
  readonly #packet: Uint8Array;
  readonly #identifierAt: number;
  readonly #qos: 0 | 1;
  #underWay = 0;
  #lastIdentifier = 0;

  constructor(
    connection: MqttConnection,
    target: { readonly job: FloodJob; readonly number: number },
    counters: Counters,
  ) {
    const { qos, prefix, payloadBytes } = target.job;
    const topic = `${prefix}/${target.number}`;
    this.#connection = connection;
    this.#counters = counters;
    this.#qos = qos;
    this.#packet = encodePacket(
      {
        ...{ kind: 'publish', topic, qos, retain: false, dup: false, packetIdentifier: qos },
        ...{ payload: new Uint8Array(payloadBytes), properties: NO_PROPERTIES },
      },
      connection.version,
    );
    const propertiesLength = connection.version === 5 ? 1 : 0;
    this.#identifierAt = this.#packet.length - payloadBytes - propertiesLength - 2;
    connection.onPacket((packet) => {
      if (packet.kind !== 'puback') return;
      this.#underWay -= 1;
      if (packet.reasonCode >= 0x80) counters.refused += 1;
      else counters.acknowledged += 1;
    });
  }

  /** Publishes up to `due` messages. @returns how many it did */
  publish(due: number): number {
    if (this.#connection.end !== null) return 0;
    let left = Math.min(due, this.#qos === 0 ? due : WINDOW_MAX - this.#underWay);
    let done = 0;
    while (left > 0 && this.#connection.pendingBytes < PENDING_BYTES_MAX) {
      const count = Math.min(left, BATCH_MAX);
      this.#connection.sendBytes(this.#batch(count));
      left -= count;
      done += count;
    }
    this.#counters.sent += done;
    if (this.#qos === 1) this.#underWay += done;
    return done;
  }

  #batch(count: number): Uint8Array {
    const packet = this.#packet;
    const bytes = Buffer.allocUnsafe(packet.length * count);
    for (let index = 0; index < count; index += 1) {
      bytes.set(packet, index * packet.length);
      if (this.#qos === 0) continue;
      this.#lastIdentifier = (this.#lastIdentifier % 65_535) + 1;
      bytes.writeUInt16BE(this.#lastIdentifier, index * packet.length + this.#identifierAt);
    }
    return bytes;
  }
}
