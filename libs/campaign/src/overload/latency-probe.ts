/** Bystanders: a publisher and a subscriber of their own topic, who feel what others do to the broker. */
import { connect, type MqttClient } from '@robustmq/mqtt-client';
import type { Qos } from '@robustmq/mqtt-codec';
import type { BrokerPorts } from './traffic-job.ts';

const TICK_MS = 5;
const PAYLOAD_BYTES = 64;

/** What they saw in one span of time. */
export interface ProbeSpan {
  readonly sent: number;
  readonly received: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class LatencyProbe {
  readonly #publisher: MqttClient;
  readonly #subscriber: MqttClient;
  readonly #qos: Qos;
  readonly #topic: string;
  #latenciesMs: number[] = [];
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(clients: {
    readonly publisher: MqttClient;
    readonly subscriber: MqttClient;
    readonly topic: string;
    readonly qos: Qos;
  }) {
    this.#publisher = clients.publisher;
    this.#subscriber = clients.subscriber;
    this.#topic = clients.topic;
    this.#qos = clients.qos;
  }

  /**
   * Connects both and begins to publish on a topic that nobody else has. The subscriber is at the first
   * broker, the publisher at the last.
   */
  static async start(
    ports: BrokerPorts,
    load: { readonly name: string; readonly qos: Qos; readonly messagesPerSecond: number },
  ): Promise<LatencyProbe> {
    const topic = `bystander/${load.name}`;
    let probe: LatencyProbe | null = null;
    const subscriber = await connect({
      port: ports[0] ?? 0,
      clientId: `bystander-${load.name}-in`,
      onMessage: ({ payload }) => {
        const sentAtMs = Buffer.from(payload.buffer, payload.byteOffset).readDoubleBE(0);
        if (probe !== null) probe.#latenciesMs.push(performance.now() - sentAtMs);
      },
    });
    await subscriber.subscribe([{ filter: topic, qos: load.qos }]);
    const publisher = await connect({
      port: ports.at(-1) ?? 0,
      clientId: `bystander-${load.name}-out`,
    });
    probe = new LatencyProbe({ publisher, subscriber, topic, qos: load.qos });
    probe.#run(load.messagesPerSecond);
    return probe;
  }

  /** What happened since the last call. */
  span(): ProbeSpan {
    const sorted = this.#latenciesMs.sort((a, b) => a - b);
    const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0;
    const { length } = sorted;
    const span = {
      ...{ sent: this.#sent, received: length },
      ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted[length - 1] ?? 0 },
    };
    this.#latenciesMs = [];
    this.#sent = 0;
    return span;
  }

  /** False once the broker has cut one of the two. */
  get isConnected(): boolean {
    return this.#publisher.connection.end === null && this.#subscriber.connection.end === null;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#publisher.destroy();
    this.#subscriber.destroy();
  }

  #run(messagesPerSecond: number): void {
    let due = 0;
    let lastMs = performance.now();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      due += ((nowMs - lastMs) * messagesPerSecond) / 1000;
      lastMs = nowMs;
      for (; due >= 1; due -= 1) this.#publish();
    }, TICK_MS);
  }

  #publish(): void {
    const payload = Buffer.alloc(PAYLOAD_BYTES);
    payload.writeDoubleBE(performance.now(), 0);
    this.#sent += 1;
    this.#publisher.publish({ topic: this.#topic, payload, qos: this.#qos }).catch(() => undefined);
  }
}
