/**
 * The load of the durability campaigns: publishers of both QoS and two protocol versions, and durable
 * subscribers that are online, come and go, or stay away until the end, and a shared group.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '@robustmq/environment';
import { connect } from '@robustmq/mqtt-client';
import { NO_PROPERTIES, type ProtocolVersion, type Qos } from '@robustmq/mqtt-codec';
import type { BrokerPlace } from './broker-place.ts';
import { Ledger } from './ledger.ts';
import { sequenceOf } from './payload.ts';
import { PublishingClient } from './publishing-client.ts';
import { RoamingConnection } from './roaming-connection.ts';
import { SubscribingClient, WILL_TOPICS } from './subscribing-client.ts';

const TICK_MS = 10;
const SETTLE_POLL_MS = 50;
const RETAINED_QUIET_MS = 300;
const FILTERS = ['campaign/#', `${WILL_TOPICS}#`];

/** How much of it. */
export interface LoadOptions {
  readonly place: BrokerPlace;
  readonly seed: number;
  /** Of all publishers together. */
  readonly messagesPerSecond: number;
  readonly fillerBytesMax: number;
  /** Whether two of the subscribers are members of one shared group, in place of their own account. */
  readonly group: 'with' | 'without';
}

export class DurableLoad {
  readonly ledger: Ledger = new Ledger();
  readonly #options: LoadOptions;
  readonly #random: SeededRandom;
  readonly #publishers: PublishingClient[];
  readonly #online: SubscribingClient[];
  readonly #flapping: SubscribingClient[];
  readonly #offline: SubscribingClient[];
  readonly #wills: RoamingConnection[] = [];
  #flaps: Promise<void>[] = [];
  #ticker: NodeJS.Timeout | undefined;
  #running = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#publishers = [
      this.#publisher('publisher-1', { version: 5, qos: 1, retain: false }),
      this.#publisher('publisher-2', { version: 5, qos: 2, retain: false }),
      this.#publisher('publisher-3', { version: 4, qos: 1, retain: false }),
      this.#publisher('publisher-4', { version: 4, qos: 2, retain: false }),
      this.#publisher('publisher-5', { version: 5, qos: 1, retain: true }),
    ];
    this.#online = [this.#subscriber('online-1', 5), this.#subscriber('online-2', 4)];
    this.#flapping = [this.#subscriber('flapping-1', 5), this.#subscriber('flapping-2', 4)];
    this.#offline = [this.#subscriber('offline-1', 5), this.#subscriber('offline-2', 4)];
    if (options.group === 'without') return;
    this.ledger.openAccount('group', 'group');
    const shared = ['$share/group/campaign/#'];
    this.#online.push(this.#member('member-1', shared));
    this.#flapping.push(this.#member('member-2', shared));
  }

  get gapMsMax(): number {
    return Math.max(...this.#publishers.map((each) => each.gapMsMax));
  }

  /** Publishers without an acknowledgement for longer than `ms` now, and how long. */
  silentFor(ms: number): readonly string[] {
    const nowMs = performance.now();
    return this.#publishers
      .filter(({ lastAcknowledgedAtMs: at }) => at > 0 && nowMs - at > ms)
      .map(({ lastAcknowledgedAtMs: at, connection }) => {
        const state = connection.isConnected ? 'connected' : 'not connected';
        return `${connection.clientId} (${state}): ${Math.round(nowMs - at)} ms`;
      });
  }

  /** Refusals by reason code, such as `0x97: 12`. */
  get refusals(): ReadonlyMap<number, number> {
    const total = new Map<number, number>();
    for (const { refusals } of this.#publishers) {
      for (const [code, count] of refusals) total.set(code, (total.get(code) ?? 0) + count);
    }
    return total;
  }

  /** Connects everybody, subscribes, and begins to publish. */
  async start(): Promise<void> {
    const subscribers = [...this.#online, ...this.#flapping, ...this.#offline];
    for (const { connection } of subscribers) connection.come();
    await Promise.all(subscribers.map((each) => each.subscribed));
    await Promise.all(this.#offline.map((each) => each.connection.leave('politely')));
    for (const { connection } of this.#publishers) connection.come();
    this.resume();
  }

  resume(): void {
    if (this.#running) return;
    this.#running = true;
    const share = (this.#options.messagesPerSecond * TICK_MS) / 1000 / this.#publishers.length;
    this.#ticker = setInterval(() => {
      for (const publisher of this.#publishers) publisher.allow(share);
    }, TICK_MS);
    this.#flaps = this.#flapping.map((each) => this.#flap(each.connection));
  }

  /** Brings up a client whose will is owed from now on, unless it says goodbye. */
  async addWill(name: string, end: 'published' | 'discarded'): Promise<() => Promise<void>> {
    const topic = `${WILL_TOPICS}${name}`;
    let confirm: () => void = () => undefined;
    const connected = new Promise<void>((resolve) => {
      confirm = resolve;
    });
    const qos: Qos = 1;
    const connection = new RoamingConnection({
      place: this.#options.place,
      clientId: `will-${name}`,
      version: 5,
      will: { topic, payload: Buffer.from(name), qos, retain: false, properties: NO_PROPERTIES },
      session: 'clean',
      onConnected: () => confirm(),
      onPacket: () => undefined,
      onLost: () => undefined,
    });
    connection.come();
    await connected;
    this.ledger.expectWill(topic, end);
    this.#wills.push(connection);
    return () => connection.leave(end === 'published' ? 'abruptly' : 'politely');
  }

  /** Pauses publishing; what is under way goes on. */
  async pause(): Promise<void> {
    this.#running = false;
    clearInterval(this.#ticker);
    await Promise.all(this.#flaps);
  }

  /** Whoever stays away until the end comes now, */
  async bringOffline(): Promise<void> {
    for (const { connection } of this.#offline) connection.come();
  }

  /** and goes again. */
  async sendOfflineAway(): Promise<void> {
    await Promise.all(this.#offline.map((each) => each.connection.leave('politely')));
  }

  /** True when those who are online all the time have everything that is acknowledged. */
  get isLiveDelivered(): boolean {
    return this.ledger.missingOf('online-1') + this.ledger.missingOf('online-2') === 0;
  }

  /** Ends publishing, brings everybody online, and waits until the ledger agrees, or the deadline. */
  async settle(limitMs: number): Promise<boolean> {
    await this.pause();
    const deadlineMs = performance.now() + limitMs;
    for (const { connection } of [...this.#flapping, ...this.#offline]) connection.come();
    const drained = await Promise.all(this.#publishers.map((each) => each.drain(limitMs)));
    while (!this.ledger.isSettled && performance.now() < deadlineMs) await delay(SETTLE_POLL_MS);
    // What comes twice comes late: wait until nothing comes any more.
    let before = -1;
    while (before !== this.ledger.delivered && performance.now() < deadlineMs) {
      before = this.ledger.delivered;
      await delay(RETAINED_QUIET_MS);
    }
    return drained.every(Boolean) && this.ledger.isSettled;
  }

  async end(): Promise<void> {
    await this.pause();
    const connections = [...this.#publishers, ...this.#online, ...this.#flapping, ...this.#offline];
    await Promise.all(connections.map((each) => each.connection.leave('abruptly')));
    await Promise.all(this.#wills.map((each) => each.leave('abruptly')));
  }

  /** Looks at the retained messages as a new subscriber does. False when the broker is away. */
  async checkRetained(floors: ReadonlyMap<string, number>): Promise<boolean> {
    const address = this.#options.place.addressFor('retained', 0);
    if (address === null) return false;
    const found = new Map<string, number>();
    let arrived = performance.now();
    try {
      const client = await connect({
        ...address,
        timeoutMs: 5000,
        onMessage: ({ topic, payload }) => {
          found.set(topic, Math.max(found.get(topic) ?? 0, sequenceOf(topic, payload) ?? 0));
          arrived = performance.now();
        },
      });
      await client.subscribe([{ filter: 'campaign/publisher-5/#', qos: 1 }]);
      const complete = (): boolean =>
        [...floors].every(([topic, at]) => at <= (found.get(topic) ?? 0));
      while (!complete() && performance.now() < arrived + RETAINED_QUIET_MS * 5)
        await delay(TICK_MS);
      if (client.connection.end !== null) return false;
      client.destroy();
    } catch {
      return false;
    }
    this.ledger.checkRetained(floors, found);
    return true;
  }

  async #flap(connection: RoamingConnection): Promise<void> {
    while (this.#running) {
      connection.come();
      await delay(100 + this.#random.below(900));
      const choice = this.#random.below(3);
      if (choice === 0) connection.cut();
      else {
        await connection.leave(choice === 1 ? 'politely' : 'abruptly');
        await delay(this.#random.below(600));
      }
    }
  }

  #publisher(
    clientId: string,
    kind: { readonly version: ProtocolVersion; readonly qos: 1 | 2; readonly retain: boolean },
  ): PublishingClient {
    const topics = [1, 2, 3].map((number) => `campaign/${clientId}/${number}`);
    return new PublishingClient({
      place: this.#options.place,
      ledger: this.ledger,
      random: this.#random,
      clientId,
      version: kind.version,
      streams: topics.map((topic) => this.ledger.openStream(topic, kind)),
      windowMax: 64,
      fillerBytesMax: this.#options.fillerBytesMax,
    });
  }

  #subscriber(clientId: string, version: ProtocolVersion): SubscribingClient {
    this.ledger.openAccount(clientId, 'subscriber');
    const { place } = this.#options;
    const { ledger } = this;
    return new SubscribingClient({
      ...{ place, ledger, clientId, account: clientId, version },
      filters: FILTERS,
    });
  }

  #member(clientId: string, filters: readonly string[]): SubscribingClient {
    const { place } = this.#options;
    const { ledger } = this;
    return new SubscribingClient({
      ...{ place, ledger, clientId, account: 'group', version: 5 },
      filters,
    });
  }
}
