/** Clients whose sessions and wills have a time: long ones must outlast the campaign, short ones must not. */
import { setTimeout as pause } from 'node:timers/promises';
import { atMost, type BrokerAddress, type Figure } from '@robustmq/campaign';
import { connect, type MqttClient } from '@robustmq/mqtt-client';
import { NO_PROPERTIES, type Will } from '@robustmq/mqtt-codec';
import type { TestCluster } from './test-cluster.ts';

const LONG_SECONDS = 3000;
const SHORT_SECONDS = 5;
/** Within it a will that is due has come, and a session that is over is gone. */
const DUE_LIMIT_MS = 60_000;
const POLL_MS = 200;
const ANSWER_LIMIT_MS = 10_000;
const TOPIC = 'timed-wills/';

interface TimedClient {
  readonly clientId: string;
  /** The broker that it was connected to. */
  readonly broker: number;
  readonly seconds: number;
}

export class TimedSessions {
  readonly examples: string[] = [];
  readonly #cluster: TestCluster;
  readonly #clients: readonly TimedClient[];
  #wills = new Map<string, number>();

  private constructor(cluster: TestCluster, clients: readonly TimedClient[]) {
    this.#cluster = cluster;
    this.#clients = clients;
  }

  /** At each broker clients come and go without a word: from then on their times count. */
  static async leave(cluster: TestCluster): Promise<TimedSessions> {
    const clients = cluster.brokers.flatMap((_, broker) =>
      [LONG_SECONDS, SHORT_SECONDS].map((seconds) => ({
        ...{ clientId: `timed-${broker}-${seconds}`, broker, seconds },
      })),
    );
    const sessions = new TimedSessions(cluster, clients);
    const keeper = await sessions.#keeper();
    keeper.destroy();
    for (const each of clients) {
      const client = await sessions.#connect(each, each.broker);
      client.destroy();
    }
    return sessions;
  }

  /** Call once: it comes back as everybody. */
  async figures(tell: (progress: string) => void): Promise<readonly Figure[]> {
    const long = this.#clients.filter(({ seconds }) => seconds === LONG_SECONDS);
    const short = this.#clients.filter(({ seconds }) => seconds === SHORT_SECONDS);
    const keeper = await this.#keeper();
    const endMs = performance.now() + DUE_LIMIT_MS;
    const isDue = (): boolean => short.every(({ clientId }) => this.#wills.has(clientId));
    while (!isDue() && performance.now() < endMs) await pause(POLL_MS);
    const early = long.filter(({ clientId }) => this.#wills.has(clientId));
    const missing = short.filter(({ clientId }) => !this.#wills.has(clientId));
    const twice = [...this.#wills.values()].filter((times) => times > 1).length;
    const lost = await this.#withoutSession(long);
    const kept = short.length - (await this.#withoutSession(short)).length;
    keeper.destroy();
    for (const { clientId } of early) this.examples.push(`the will of ${clientId} came early`);
    for (const { clientId } of missing) this.examples.push(`the will of ${clientId} never came`);
    for (const { clientId } of lost) this.examples.push(`${clientId} has lost its session early`);
    tell(`timed sessions: ${early.length} wills early, ${lost.length} sessions early`);
    return [
      atMost('sessions that ended early', lost.length, 0),
      atMost('wills that came early', early.length, 0),
      atMost('wills that were due and never came', missing.length, 0),
      atMost('wills that came twice', twice, 0),
      atMost('sessions that were over and never ended', kept, 0),
    ];
  }

  /** Whoever comes back at another broker than the one it left, and finds nothing. */
  async #withoutSession(clients: readonly TimedClient[]): Promise<readonly TimedClient[]> {
    const without: TimedClient[] = [];
    for (const each of clients) {
      const client = await this.#connect(each, each.broker + 1);
      if (!client.connack.sessionPresent) without.push(each);
      await client.disconnect();
    }
    return without;
  }

  /** A durable subscriber of all wills. */
  async #keeper(): Promise<MqttClient> {
    const client = await connect({
      ...this.#brokerAt(0),
      ...{ clientId: 'timed-keeper', cleanStart: false, timeoutMs: ANSWER_LIMIT_MS },
      properties: { sessionExpiryIntervalSeconds: 0xffff_ffff },
      onMessage: ({ topic }) => {
        const clientId = topic.slice(TOPIC.length);
        this.#wills.set(clientId, (this.#wills.get(clientId) ?? 0) + 1);
      },
    });
    await client.subscribe([{ filter: `${TOPIC}#`, qos: 2 }]);
    return client;
  }

  #connect({ clientId, seconds }: TimedClient, broker: number): Promise<MqttClient> {
    const will: Will = {
      ...{ topic: `${TOPIC}${clientId}`, payload: Buffer.from(clientId), qos: 2, retain: false },
      properties: { ...NO_PROPERTIES, willDelayIntervalSeconds: Math.max(1, seconds - 2) },
    };
    return connect({
      ...this.#brokerAt(broker),
      ...{ clientId, will, cleanStart: false, timeoutMs: ANSWER_LIMIT_MS },
      properties: { sessionExpiryIntervalSeconds: seconds },
    });
  }

  #brokerAt(index: number): BrokerAddress {
    const { brokers } = this.#cluster;
    const { host, port } = brokers[index % brokers.length] as BrokerAddress;
    return { host, port };
  }
}
