/** A connection that comes back: connects again whenever it is lost, as often as it takes. */
import { setTimeout as delay } from 'node:timers/promises';
import { type MqttConnection, openConnection } from '@robustmq/mqtt-client';
import {
  type Connack,
  NO_PROPERTIES,
  type Packet,
  type ProtocolVersion,
  ReasonCode,
  type Will,
} from '@robustmq/mqtt-codec';
import type { BrokerPlace } from './broker-place.ts';

const RETRY_PAUSE_MS = 10;
/** The longest time that a broker may take to answer before another one is asked. */
const ANSWER_LIMIT_MS = 10_000;
/** And after attempts that nobody answered, for which it doubles. */
const ANSWER_LIMIT_LONGEST_MS = 16_000;
const PINGS_PER_PATIENCE = 4;
const FOR_EVER_SECONDS = 0xffff_ffff;

/** Who connects, and what is done with the connection. */
export interface RoamingOptions {
  readonly place: BrokerPlace;
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly will: Will | null;
  /** `durable`: the session outlives the connection. */
  readonly session: 'durable' | 'clean';
  readonly onConnected: (connack: Connack) => void;
  readonly onPacket: (packet: Packet) => void;
  readonly onLost: () => void;
}

export class RoamingConnection {
  readonly #options: RoamingOptions;
  #connection: MqttConnection | null = null;
  #wanted = false;
  #running: Promise<void> | null = null;
  #attempt = 0;
  /** Attempts since the last CONNACK that were not answered in time. */
  #unanswered = 0;
  /** CONNACKs that refused. */
  refusals = 0;

  constructor(options: RoamingOptions) {
    this.#options = options;
  }

  get clientId(): string {
    return this.#options.clientId;
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  get pendingBytes(): number {
    return this.#connection?.pendingBytes ?? 0;
  }

  /** Connects, and connects again, until `leave`. Idempotent. */
  come(): void {
    this.#wanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Sends, or does nothing while there is no connection. */
  send(packet: Packet): void {
    this.#connection?.send(packet);
  }

  /** Loses the connection without a word; it comes back by itself. */
  cut(): void {
    this.#connection?.destroy();
  }

  /** Says DISCONNECT, or just disappears, and stays away. */
  async leave(how: 'politely' | 'abruptly'): Promise<void> {
    this.#wanted = false;
    if (how === 'politely') {
      const reasonCode = ReasonCode.normalDisconnection;
      this.#connection?.send({ kind: 'disconnect', reasonCode, properties: NO_PROPERTIES });
      await this.#connection?.close(1000);
    } else this.#connection?.destroy();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      const connection = await this.#connect();
      if (connection === null) {
        await delay(RETRY_PAUSE_MS);
        continue;
      }
      await connection.closed;
      this.#connection = null;
      this.#options.onLost();
    }
  }

  async #connect(): Promise<MqttConnection | null> {
    const { place, version, clientId } = this.#options;
    const found = place.addressFor(clientId, this.#attempt);
    if (found === null) return null;
    this.#attempt += 1;
    const address = { ...found, tls: null };
    let connection: MqttConnection | null = null;
    try {
      connection = await openConnection(address, version, this.#patienceMs);
      return await this.#introduce(connection);
    } catch {
      connection?.destroy();
      return null; // the broker is down, or went down meanwhile
    }
  }

  async #introduce(connection: MqttConnection): Promise<MqttConnection | null> {
    const { clientId, version, will, session } = this.#options;
    const durable = session === 'durable';
    connection.send({
      kind: 'connect',
      version,
      cleanStart: !durable,
      keepAliveSeconds: 0,
      clientId,
      will,
      username: null,
      password: null,
      properties:
        version === 5 && durable
          ? { sessionExpiryIntervalSeconds: FOR_EVER_SECONDS }
          : NO_PROPERTIES,
    });
    const limitMs = this.#answerLimitMs;
    this.#unanswered += 1;
    const answer = await connection.next(limitMs);
    if (answer !== null) this.#unanswered = 0;
    if (answer?.kind !== 'connack' || answer.reasonCode !== 0 || !this.#wanted) {
      if (answer?.kind === 'connack' && answer.reasonCode !== 0) this.refusals += 1;
      connection.destroy();
      return null;
    }
    this.#connection = connection;
    this.#options.onConnected(answer);
    this.#listen(connection);
    return connection;
  }

  /** A broker that hangs keeps its sockets: only its silence tells. */
  #listen(connection: MqttConnection): void {
    const { onPacket, place } = this.#options;
    const { patienceMs } = place;
    if (patienceMs === null) {
      connection.onPacket(onPacket);
      return;
    }
    let heardAtMs = performance.now();
    connection.onPacket((packet) => {
      heardAtMs = performance.now();
      onPacket(packet);
    });
    const timer = setInterval(() => {
      if (performance.now() - heardAtMs > patienceMs) connection.destroy();
      else connection.send({ kind: 'pingreq' });
    }, patienceMs / PINGS_PER_PATIENCE);
    void connection.closed.finally(() => clearInterval(timer));
  }

  /**
   * Who gives up after the same time again and again never gets in where an answer takes a little longer:
   * each attempt moves the session to another broker, and what was done for the one before is undone.
   */
  get #answerLimitMs(): number {
    const limitMs = this.#patienceMs * 2 ** Math.min(10, this.#unanswered);
    return Math.min(ANSWER_LIMIT_LONGEST_MS, limitMs);
  }

  get #patienceMs(): number {
    return this.#options.place.patienceMs ?? ANSWER_LIMIT_MS;
  }
}
