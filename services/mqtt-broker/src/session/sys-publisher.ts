import { Message, type Topic } from '@robustmq/broker';
import type { SubscriptionRequest } from '@robustmq/mqtt-codec';
import {
  clientConnectedEvent,
  clientDisconnectedEvent,
  clientSubscribedEvent,
  clientUnsubscribedEvent,
  type GaugeSource,
  type PresenceClient,
  PresenceEpoch,
  type PresenceEvent,
  type PresenceMoment,
  StatsWithMax,
  sysTopicValues,
} from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import { disconnectLabel } from '../connection/disconnect-cause.ts';
import { publishMessage } from '../publish-message.ts';
import type { ClientSession } from './client-session.ts';
import type { ConnectFacts, Presence } from './presence.ts';

/** Publishes the `$SYS` tree: values every interval as retained messages, presence as it happens. */
export class SysPublisher implements Presence {
  readonly #context: BrokerContext;
  readonly #gauges: GaugeSource;
  readonly #stats = new StatsWithMax();
  readonly #startedAtMs: number;
  readonly #epoch: PresenceEpoch;
  readonly #encoder = new TextEncoder();
  #nextTick = 0;
  #probesMade: readonly Topic[] | null = null;

  constructor(context: BrokerContext, gauges: GaugeSource) {
    this.#context = context;
    this.#gauges = gauges;
    this.#startedAtMs = context.clock.nowMs();
    this.#epoch = new PresenceEpoch(this.#startedAtMs);
  }

  get #nodeName(): string {
    return String(this.#context.settings.nodeId);
  }

  /** Once a second; publishes when the interval is over. */
  tick(): void {
    const { sysTopics } = this.#context.settings;
    if (!sysTopics.enabled || this.#context.tick < this.#nextTick) return;
    this.#nextTick = this.#context.tick + sysTopics.intervalSeconds;
    const nowMs = this.#context.clock.nowMs();
    const values = sysTopicValues(
      {
        counters: this.#context.counters,
        stats: this.#stats.observe(this.#gauges),
        uptimeSeconds: (nowMs - this.#startedAtMs) / 1000,
        nowMs,
        nodeNames: [this.#nodeName],
      },
      {
        name: this.#nodeName,
        version: this.#context.settings.version,
        description: 'RobustMQ for TypeScript',
      },
    );
    for (const [topic, payload] of values) this.#publish(topic, payload, 'retained');
  }

  connected(session: ClientSession, facts: ConnectFacts): void {
    if (!this.#isWatched()) return;
    this.#event(
      clientConnectedEvent(this.#moment(), clientOf(session, session.connection), {
        keepAliveSeconds: session.connection?.terms.keepAliveSeconds ?? 0,
        sessionExpirySeconds: session.sessionExpirySeconds,
        ...facts,
      }),
    );
  }

  disconnected(session: ClientSession, connection: ClientConnection): void {
    if (!this.#isWatched()) return;
    const { endCause } = connection;
    this.#event(
      clientDisconnectedEvent(this.#moment(), clientOf(session, connection), {
        cause: disconnectLabel(endCause),
        reasonCode: typeof endCause === 'number' ? endCause : 0,
      }),
    );
  }

  subscribed(session: ClientSession, subscriptions: readonly SubscriptionRequest[]): void {
    if (!this.#isWatched()) return;
    for (const { filter, qos } of subscriptions) {
      this.#event(
        clientSubscribedEvent(this.#moment(), clientOf(session, session.connection), {
          topicFilter: filter,
          qos,
        }),
      );
    }
  }

  unsubscribed(session: ClientSession, filters: readonly string[]): void {
    if (!this.#isWatched()) return;
    for (const topicFilter of filters) {
      this.#event(
        clientUnsubscribedEvent(this.#moment(), clientOf(session, session.connection), {
          topicFilter,
        }),
      );
    }
  }

  /** A connect storm pays nothing for presence while nobody looks: such filters have wildcards. */
  #isWatched(): boolean {
    const { settings, router } = this.#context;
    if (!settings.sysTopics.enabled) return false;
    if (this.#hasExactWatchers()) return true;
    for (const probe of this.#probes) if (router.match(probe).live.length > 0) return true;
    return false;
  }

  /** Of a client that nobody is. The topic table may forget them; the router finds them again. */
  get #probes(): readonly Topic[] {
    this.#probesMade ??= ['connected', 'disconnected'].map((event) =>
      this.#context.router.topicOf(`$SYS/brokers/${this.#nodeName}/clients/-/${event}`),
    );
    return this.#probesMade;
  }

  /** Someone may watch one client by its exact topic: then events cost a look-up each. */
  #hasExactWatchers(): boolean {
    return this.#context.sysWatchers > 0;
  }

  #event(event: PresenceEvent): void {
    this.#publish(event.topic, event.payload, 'live');
  }

  #moment(): PresenceMoment {
    return {
      nodeName: this.#nodeName,
      nowMs: this.#context.clock.nowMs(),
      epoch: this.#epoch.next(),
    };
  }

  #publish(topic: string, payload: string, kind: 'retained' | 'live'): void {
    const message = new Message(this.#context.router.topicOf(topic));
    message.retain = kind === 'retained';
    message.payloadBytes = this.#encoder.encode(payload);
    message.payloadEnd = message.payloadBytes.length;
    publishMessage(this.#context, message, null);
  }
}

function clientOf(session: ClientSession, connection: ClientConnection | null): PresenceClient {
  return {
    clientId: session.clientId,
    username: session.identity.username,
    remoteAddress: session.identity.remoteAddress,
    protocolLevel: connection?.version ?? 0,
  };
}
