import { keepMessage, type Message, type RetainedStore, type Router } from '@robustmq/broker';
import type { JournalError, JournalFault } from '@robustmq/journal';
import type { AcknowledgementFields, Frame, PublishFields } from '@robustmq/mqtt-codec';
import type { AuthenticationMethod, ServerOffer } from '@robustmq/mqtt-session';
import {
  type BrokerCounters,
  type BrokerHistograms,
  type Logger,
  log,
  logEvents,
} from '@robustmq/telemetry';

import type { Clock, RandomSource, Timers } from '@robustmq/environment';
import type { AccessControl } from './access-control.ts';
import type { BrokerEnvironment } from './broker-environment.ts';
import type { BrokerCluster } from './cluster/contract.ts';
import type { ClientConnection } from './connection/client-connection.ts';
import { ConnectAdmission } from './connection/connect-admission.ts';
import type { OutputChunks } from './connection/output-chunks.ts';
import type { OutputContext, OutputStream } from './connection/output-stream.ts';
import type { PublishEncoder } from './connection/publish-encoder.ts';
import type { BrokerGroups, BrokerLog } from './durable/broker-log.ts';
import type { ClientSession } from './session/client-session.ts';
import type { Presence } from './session/presence.ts';
import type { SessionRegistry } from './session/session-registry.ts';
import type { Wills } from './session/wills.ts';
import type { BrokerSettings } from './settings.ts';

/**
 * What the parts of one broker share. Built once by `assembleBroker`; no part keeps global state.
 * One thread, one turn at a time: every field may be used without locks.
 */
export class BrokerContext implements OutputContext {
  /** Its file's, and what is set for the whole cluster: asked at each use. */
  settings: BrokerSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly counters: BrokerCounters;
  readonly histograms: BrokerHistograms;
  readonly router: Router;
  readonly retained: RetainedStore;
  readonly access: AccessControl;
  readonly encoder: PublishEncoder;
  readonly chunks: OutputChunks;
  readonly authenticationMethods: ReadonlyMap<string, AuthenticationMethod>;
  readonly dirty: OutputStream[] = [];
  readonly connections: Set<ClientConnection> = new Set();
  // Decoding scratch of the hot path: one packet is decoded at a time.
  readonly frame: Frame;
  readonly publishFields: PublishFields;
  readonly acknowledgementFields: AcknowledgementFields;
  /** The message that is passing through. */
  readonly message: Message;
  /** Set right after construction, since they need the context themselves. */
  sessions: SessionRegistry;
  groups: BrokerGroups;
  log: BrokerLog;
  wills: Wills;
  presence: Presence;
  /** null: this broker stands alone. */
  cluster: BrokerCluster | null = null;
  /** Of clients whose session the cluster keeps. */
  readonly admission: ConnectAdmission;
  offer: ServerOffer;
  connectionsMade = 0;
  pendingOutputBytes = 0;
  queuedBytes = 0;
  /** Unfinished packets that wait for their rest, over all connections. */
  inputBytes = 0;
  /** Seconds since the broker started: coarse enough to be free, fine enough for keep alive. */
  tick = 0;
  draining = false;
  /** Packets to go until one is timed. */
  packetsUntilSample = 1;
  /** Subscriptions to exact topics below `$SYS/…/clients/`. */
  sysWatchers = 0;
  readonly dirtySessions: Set<ClientSession> = new Set();
  /** Wills of clients that were connected when the broker died: due once it serves again. */
  readonly restoredWills: ClientSession[] = [];
  readonly pausedPublishers: Set<ClientConnection> = new Set();
  fatal: (what: string, error: unknown) => void = (what, error) => {
    throw new Error(what, { cause: error });
  };
  #flushScheduled = false;
  #nowMs = 0;
  #nowIsFresh = false;
  #keptFrom: Message | null = null;
  #kept: Message | null = null;
  readonly #waitingForRoom = new Map<ClientSession, (() => void)[]>();
  readonly #flushNow = (): void => {
    this.#flushScheduled = false;
    this.#nowIsFresh = false;
    this.log.flush();
    this.flushOutput();
  };

  constructor(parts: {
    readonly settings: BrokerSettings;
    readonly environment: BrokerEnvironment;
    readonly logger: Logger;
    readonly counters: BrokerCounters;
    readonly histograms: BrokerHistograms;
    readonly router: Router;
    readonly retained: RetainedStore;
    readonly access: AccessControl;
    readonly encoder: PublishEncoder;
    readonly chunks: OutputChunks;
    readonly authenticationMethods: ReadonlyMap<string, AuthenticationMethod>;
    readonly frame: Frame;
    readonly publishFields: PublishFields;
    readonly acknowledgementFields: AcknowledgementFields;
    readonly message: Message;
  }) {
    this.settings = parts.settings;
    this.clock = parts.environment.clock;
    this.timers = parts.environment.timers;
    this.random = parts.environment.random;
    this.logger = parts.logger;
    this.counters = parts.counters;
    this.histograms = parts.histograms;
    this.router = parts.router;
    this.retained = parts.retained;
    this.access = parts.access;
    this.encoder = parts.encoder;
    this.chunks = parts.chunks;
    this.authenticationMethods = parts.authenticationMethods;
    this.frame = parts.frame;
    this.publishFields = parts.publishFields;
    this.acknowledgementFields = parts.acknowledgementFields;
    this.message = parts.message;
    const { connectsDecidingMax, connectsWaitingMax } = parts.settings.limits;
    this.admission = new ConnectAdmission({
      decidingMax: connectsDecidingMax,
      waitingMax: connectsWaitingMax,
    });
    this.offer = { ...parts.settings.protocol, ...parts.settings.limits };
    // Assembly sets these before the first turn; until then a use is a mistake and crashes.
    this.sessions = unset();
    this.groups = unset();
    this.log = unset();
    this.wills = unset();
    this.presence = unset();
  }

  /** They hold for what comes from now on; what a connection was told with its CONNACK stays. */
  applySettings(settings: BrokerSettings): void {
    this.settings = settings;
    this.offer = { ...settings.protocol, ...settings.limits };
  }

  /** Wall clock, read at most once per turn. */
  nowMs(): number {
    if (!this.#nowIsFresh) {
      this.#nowMs = this.clock.nowMs();
      this.#nowIsFresh = true;
      this.scheduleFlush();
    }
    return this.#nowMs;
  }

  /** At the end of this turn: close the commit group, then write every dirty socket. */
  scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.timers.soon(this.#flushNow);
  }

  flushOutput(): void {
    const dirty = this.dirty;
    // Flushing may dirty others again: they are appended and handled in the same loop.
    for (let index = 0; index < dirty.length; index += 1) (dirty[index] as OutputStream).flush();
    dirty.length = 0;
  }

  /** Bytes that wait for somebody: sockets, windows, the disk. */
  get waitingBytes(): number {
    return this.pendingOutputBytes + this.queuedBytes + this.inputBytes + this.log.backlogBytes;
  }

  /** Above the budget publishers are paused and QoS 0 is dropped first. */
  get overloaded(): boolean {
    return (
      this.pendingOutputBytes + this.queuedBytes + this.inputBytes >
      this.settings.limits.memoryBytesMax
    );
  }

  /** A copy of the message that is passing through; all who queue it share one. */
  keepShared(message: Message): Message {
    if (message.kept) return message;
    if (message !== this.message) return keepMessage(message);
    if (this.#keptFrom !== message || this.#kept === null) {
      this.#keptFrom = message;
      this.#kept = keepMessage(message);
    }
    return this.#kept;
  }

  /** Call when `message` gets new content. */
  forgetKept(): void {
    this.#kept = null;
  }

  connectedCount(): number {
    let count = 0;
    for (const connection of this.connections) if (connection.phase === 'connected') count += 1;
    return count;
  }

  markDirty(session: ClientSession): void {
    this.dirtySessions.add(session);
  }

  journalFull(error: JournalError): void {
    const { fault } = error;
    const limit = fault.code === 'JOURNAL_FULL' ? fault.limit : fault.code;
    log(this.logger, logEvents.journalFull, {
      shard: this.log.gauges.name,
      limit,
      detail: error.message,
    });
  }

  reportCorruption(fault: JournalFault): void {
    this.counters.droppedTrimmed += 1;
    if (fault.code !== 'JOURNAL_RECORD_CORRUPT') return;
    log(this.logger, logEvents.journalQuarantined, {
      shard: this.log.gauges.name,
      file: fault.file,
      reason: 'the checksum does not match',
      first: fault.first,
      after: fault.after,
    });
  }

  /** Runs `then` once when `session` can take something again. */
  waitForRoom(session: ClientSession, then: () => void): void {
    session.replayWaits = true;
    const waiting = this.#waitingForRoom.get(session);
    if (waiting === undefined) this.#waitingForRoom.set(session, [then]);
    else waiting.push(then);
  }

  /** The connection that something waited for is gone. */
  forgetWaiting(session: ClientSession): void {
    if (!session.replayWaits) return;
    session.replayWaits = false;
    this.#waitingForRoom.delete(session);
  }

  roomAvailable(session: ClientSession): void {
    const waiting = this.#waitingForRoom.get(session);
    if (waiting === undefined) return;
    this.#waitingForRoom.delete(session);
    session.replayWaits = false;
    for (const go of waiting) go();
  }

  /** Publishers read on once what waits is below half of the budget. */
  relievePublishers(): void {
    if (this.pausedPublishers.size === 0) return;
    if (this.waitingBytes > this.settings.limits.memoryBytesMax / 2) return;
    if (this.cluster?.isCongested === true) return;
    const paused = [...this.pausedPublishers];
    this.pausedPublishers.clear();
    for (const connection of paused) connection.resumeReading();
  }
}

function unset<Part>(): Part {
  return null as Part;
}
