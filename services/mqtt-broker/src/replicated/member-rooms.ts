import type { SharedGroup } from '@robustmq/broker';
import type { TimerHandle } from '@robustmq/environment';
import type { BrokerContext } from '../broker-context.ts';
import { ClientSession } from '../session/client-session.ts';
import { SessionCursor } from './session-cursor.ts';

/** LIMIT: groupRoomMax. What a dealer may have under way to one member before it hears of it again. */
const ROOM_MAX = 64;
/** Room that was told is told again after so many seconds, before the dealer forgets it. */
const TOLD_SECONDS = 10;
const RETRY_MS = 100;

/** What the dealer of one group was told of one member. */
interface Told {
  /** 0: nothing that counts. */
  room: number;
  /** Messages that came since. */
  arrived: number;
  seconds: number;
  /** The dealer has not answered yet. */
  asking: boolean;
}

/**
 * Tells the dealers of shared groups how much room the members here have. A member is told of
 * again when half of what it had room for has come, and while nothing comes now and then.
 */
export class MemberRooms {
  readonly #context: BrokerContext;
  readonly #told = new Map<ClientSession, Map<string, Told>>();
  readonly #refused = new Set<ClientSession>();
  #timer: TimerHandle | null = null;
  #stopped = false;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  /** The group is dealt: its members here begin to say what room they have. */
  groupChanged(group: SharedGroup): void {
    for (const { subscriber } of group.members) {
      if (!(subscriber instanceof ClientSession)) continue;
      if (!this.#told.has(subscriber)) this.#told.set(subscriber, new Map());
      this.tell(subscriber);
    }
  }

  /** A connection has the session: what was said for the one before does not count. */
  returned(session: ClientSession): void {
    this.#told.delete(session);
    for (const { group } of session.subscriptions.values()) {
      if (group !== null) this.#told.set(session, new Map());
    }
    this.tell(session);
  }

  /** Its connection is gone: it has no room for anything that is not dealt to it by now. */
  away(session: ClientSession): void {
    const { clientId, ownerEpoch: epoch } = session;
    const ephemeralQos = session.durable ? null : 0;
    for (const key of this.#told.get(session)?.keys() ?? []) {
      const want = { clientId, epoch, room: 0, ephemeralQos };
      // A dealer that does not hear of it deals no more than the room it knows of.
      this.#context.cluster?.groups.want(key, want).catch(() => {});
    }
    this.#told.delete(session);
  }

  arrived(session: ClientSession, key: string): void {
    const told = this.#told.get(session)?.get(key);
    if (told === undefined) return;
    told.arrived += 1;
    if (isDue(told)) this.tell(session);
  }

  /** There is room (again), or a message came: tells of it if the dealers are to hear of it by now. */
  roomAvailable(session: ClientSession): void {
    const byGroup = this.#told.get(session);
    if (byGroup === undefined) return;
    if (byGroup.size === 0 || [...byGroup.values()].some(isDue)) this.tell(session);
  }

  tell(session: ClientSession): void {
    const groups = this.#context.cluster?.groups;
    const { connection, consumer } = session;
    if (this.#stopped || groups === undefined || connection?.accepted !== true) return;
    if (consumer instanceof SessionCursor && !(consumer.isOurs && consumer.live)) return;
    if (!session.hasRoom || session.queuedCount > 0) return;
    const free = connection.terms.sendMaximum - (session.hasWindow ? session.window.count : 0);
    const room = Math.min(ROOM_MAX, free);
    for (const { group, qos } of session.subscriptions.values()) {
      if (group === null || (qos === 0 && session.durable) || room <= 0) continue;
      const key = `${group.shareName}/${group.filter}`;
      const ephemeralQos = session.durable ? null : qos;
      if (groups.isDealt(key)) this.#tellOne(session, key, { room, ephemeralQos });
    }
  }

  /** Once a second. */
  tick(): void {
    for (const [session, byGroup] of this.#told) {
      if (!session.online || this.#context.sessions.find(session.clientId) !== session) {
        this.#told.delete(session);
        continue;
      }
      for (const told of byGroup.values()) {
        told.seconds += 1;
        if (told.arrived > 0 || told.seconds >= TOLD_SECONDS) told.room = 0;
      }
      this.tell(session);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#told.clear();
    this.#refused.clear();
  }

  #tellOne(
    session: ClientSession,
    key: string,
    has: { readonly room: number; readonly ephemeralQos: number | null },
  ): void {
    const byGroup = this.#told.get(session) ?? new Map<string, Told>();
    this.#told.set(session, byGroup);
    const told = byGroup.get(key) ?? { room: 0, arrived: 0, seconds: 0, asking: false };
    byGroup.set(key, told);
    if (!isDue(told)) return;
    told.asking = true;
    told.room = has.room;
    told.arrived = 0;
    told.seconds = 0;
    const { clientId, ownerEpoch: epoch } = session;
    this.#context.cluster?.groups.want(key, { clientId, epoch, ...has }).then(
      () => {
        told.asking = false;
        if (isDue(told)) this.tell(session);
      },
      () => {
        told.asking = false;
        told.room = 0;
        this.#tellLater(session);
      },
    );
  }

  /** No dealer has answered: there will be one soon. */
  #tellLater(session: ClientSession): void {
    if (this.#stopped) return;
    this.#refused.add(session);
    this.#timer ??= this.#context.timers.after(RETRY_MS, () => {
      this.#timer = null;
      const refused = [...this.#refused];
      this.#refused.clear();
      for (const each of refused) if (this.#told.has(each)) this.tell(each);
    });
  }
}

/** Half of what it had room for has come, or nobody was told of any. */
function isDue({ asking, room, arrived }: Told): boolean {
  return !asking && arrived * 2 >= room;
}
