/** What one helper process of a campaign is asked to do, and what it tells afterwards. */

/** Ports of brokers on this machine; connection `i` goes to the broker `i`, and round and round. */
export type BrokerPorts = readonly number[];

/** Publishes at a rate, as one or many connections. */
export interface FloodJob {
  readonly kind: 'flood';
  readonly ports: BrokerPorts;
  readonly connections: number;
  /** Connection `i` publishes on `prefix/i`. */
  readonly prefix: string;
  readonly qos: 0 | 1;
  readonly payloadBytes: number;
  /** Of all connections together; 0: as fast as the broker takes it. */
  readonly messagesPerSecond: number;
  readonly seconds: number;
}

/** Subscribes and counts. */
export interface ReadJob {
  readonly kind: 'read';
  readonly ports: BrokerPorts;
  readonly connections: number;
  readonly filter: string;
  readonly qos: 0 | 1;
  readonly session: 'durable' | 'clean';
}

/** Opens connections at a rate and holds them. */
export interface StormJob {
  readonly kind: 'storm';
  readonly ports: BrokerPorts;
  readonly connections: number;
  readonly connectionsPerSecond: number;
}

export type TrafficJob = FloodJob | ReadJob | StormJob;

/** Counted so far; a job sends it when asked and at its end. */
export interface TrafficReport {
  /** Connections that are accepted, and subscribed where that is the job. */
  readonly ready: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly received: number;
  /** Messages that were due and not sent, because the broker took no more. */
  readonly heldBack: number;
  /** Connections that failed or ended before their time. */
  readonly lost: number;
  readonly connectMsMax: number;
  readonly done: boolean;
}

/** The broker of connection `number`. */
export function portOf(ports: BrokerPorts, number: number): number {
  return ports[number % ports.length] ?? 0;
}

/** The counters while the job runs. */
export type Counters = { -readonly [Name in keyof TrafficReport]: TrafficReport[Name] };

export function newCounters(): Counters {
  return {
    ...{ ready: 0, sent: 0, acknowledged: 0, refused: 0, received: 0, heldBack: 0, lost: 0 },
    ...{ connectMsMax: 0, done: false },
  };
}
