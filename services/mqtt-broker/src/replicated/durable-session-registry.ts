import { Subscription } from '@robustmq/broker';
import type { TimerHandle } from '@robustmq/environment';
import { JournalError, type ProducerName } from '@robustmq/journal';
import type { ExchangeState } from '@robustmq/mqtt-session';
import { parseSubscriptionFilter } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import type {
  DurableSessions,
  Gift,
  GiftOutcome,
  GroupDealing,
  GroupMember,
  GroupTerm,
  Publication,
  StoredSession,
  StoredSubscription,
} from '../cluster/contract.ts';
import type { PublishOutcome } from '../publish-message.ts';
import { ClientSession } from '../session/client-session.ts';
import { giveBackDealt } from './give-back-dealt.ts';
import { isPublished } from './named-publications.ts';
import { openDealer } from './open-dealer.ts';
import type { ReplicatedGroups } from './replicated-groups.ts';
import { cursorOf, type ReplicatedLog } from './replicated-log.ts';
import type { ReplicatedStorage } from './replicated-storage.ts';
import { EARLIER_TENURES_MAX, RepeatedPublishes } from './repeated-publishes.ts';
import { SessionCursor } from './session-cursor.ts';
import { decodeSessionState, type SessionState } from './session-state.ts';
import { lastIncarnationOf } from './shard-writer.ts';

const RETRY_MS = 100;

/** Sessions that come to this broker and leave it. */
export class DurableSessionRegistry implements DurableSessions {
  readonly #context: BrokerContext;
  readonly #storage: ReplicatedStorage;
  readonly #log: ReplicatedLog;
  readonly #groups: ReplicatedGroups;
  #stopped = false;

  constructor(
    context: BrokerContext,
    storage: ReplicatedStorage,
    parts: { readonly log: ReplicatedLog; readonly groups: ReplicatedGroups },
  ) {
    this.#context = context;
    this.#storage = storage;
    this.#log = parts.log;
    this.#groups = parts.groups;
  }

  /** Its path has ended: no session comes here any more, also not one that is under way. */
  stop(): void {
    this.#stopped = true;
  }

  /** @throws JournalError JOURNAL_FENCED, JOURNAL_UNAVAILABLE */
  deal(
    term: GroupTerm,
    members: readonly GroupMember[],
    deadlineMs: number,
  ): Promise<GroupDealing> {
    const parts = { log: this.#log, groups: this.#groups };
    return openDealer(this.#context, parts, { term, members, deadlineMs });
  }

  /**
   * @throws JournalError JOURNAL_FENCED  somebody with a higher epoch owns it
   *                      JOURNAL_CLOSED  this path has ended meanwhile: nobody would serve the session
   */
  async restore(stored: StoredSession, deadlineMs: number): Promise<void> {
    const { clientId, epoch } = stored;
    const { table } = this.#log.sessions.tableOf(clientId);
    const { taken, record } = await table.claim(clientId, epoch, deadlineMs);
    if (!taken) {
      const detail = `session ${clientId} has an owner of a higher epoch than ${epoch}`;
      throw new JournalError({ code: 'JOURNAL_FENCED', shard: table.name, detail });
    }
    if (this.#stopped) throw new JournalError({ code: 'JOURNAL_CLOSED' });
    this.#put(stored, record === null ? null : decodeSessionState(record.value));
  }

  async settle(session: ClientSession, deadlineMs: number): Promise<void> {
    const cursor = cursorOf(session);
    if (cursor === null || !cursor.isOurs) return;
    const settling = cursor.beginSettling();
    await this.#within(deadlineMs, `settling session ${session.clientId}`, async () => {
      await this.#committed(session);
      cursor.finish(settling);
      await this.#committed(session);
    });
    cursor.settled(settling);
  }

  async forget(clientId: string, epoch: number, deadlineMs: number): Promise<void> {
    await this.#within(deadlineMs, `removing the record of session ${clientId}`, async () => {
      await giveBackDealt(this.#context, this.#log, { clientId, epoch, deadlineMs });
      const table = this.#log.sessions.remove(clientId, epoch);
      await new Promise<void>((resolve) => {
        table.afterWrite(resolve);
        table.start();
      });
    });
  }

  async fence(producer: ProducerName, deadlineMs: number): Promise<void> {
    const name = lastIncarnationOf(producer);
    const { shards } = this.#storage;
    const all = Array.from({ length: shards.count }, (_, number) => shards.at(number));
    const { clock, timers } = this.#context;
    const endMs = clock.monotonicMs() + deadlineMs;
    await Promise.all(
      all.map(async (shard) => {
        for (;;) {
          try {
            await shard.fence(name);
            return;
          } catch (error) {
            if (clock.monotonicMs() >= endMs || !isUnavailable(error)) throw error;
            await waitMs(timers, RETRY_MS);
          }
        }
      }),
    );
  }

  /** @throws JournalError JOURNAL_UNAVAILABLE  it is not done by the deadline; it may be done later */
  async #within(deadlineMs: number, what: string, work: () => Promise<void>): Promise<void> {
    const { timers } = this.#context;
    let timer: TimerHandle | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const detail = `${what} is not done after ${deadlineMs} ms`;
      const fault = { code: 'JOURNAL_UNAVAILABLE', shard: 'sessions', detail } as const;
      timer = timers.after(deadlineMs, () => reject(new JournalError(fault)));
    });
    try {
      await Promise.race([work(), late]);
    } finally {
      timer?.cancel();
    }
  }

  receive(gift: Gift): Promise<GiftOutcome> {
    return this.#groups.receive(gift);
  }

  placeOf(topic: string): number {
    const shard = this.#storage.shards.shardOfName(topic);
    return this.#log.feedPosition(shard);
  }

  publishAs(name: string, publish: () => PublishOutcome): Promise<boolean> {
    return this.#log.publishAs(name, publish);
  }

  /** @throws JournalError JOURNAL_UNAVAILABLE */
  isPublished(publication: Publication, deadlineMs: number): Promise<boolean> {
    return isPublished(this.#context, this.#storage.shards, { publication, deadlineMs });
  }

  /** Everything of the session up to now, its record included, is committed. */
  #committed(session: ClientSession): Promise<void> {
    return new Promise((resolve) => this.#log.afterAll(session, resolve));
  }

  #put(stored: StoredSession, state: SessionState | null): void {
    const context = this.#context;
    const { clientId, username, sessionExpirySeconds } = stored;
    const identity = { clientId, username, remoteAddress: '' };
    const session = new ClientSession(context, identity, { sessionExpirySeconds });
    session.ownerEpoch = stored.epoch;
    const cursor = new SessionCursor(this.#log, session, state);
    // Without a record nothing was promised yet; offline it is behind all the same.
    if (state === null) cursor.detach();
    const { sessions } = context;
    const { nextNumber } = sessions;
    sessions.restore(session, nextNumber, cursor);
    const starts = new Map(state?.starts.map(({ key, offsets }) => [key, offsets]));
    for (const subscription of stored.subscriptions) {
      const offsets = starts.get(subscription.key);
      const since = offsets === undefined ? 0 : cursor.starts.restore(offsets);
      subscribe(context, session, { subscription, since });
    }
    if (state !== null) this.#restoreState(session, state);
  }

  #restoreState(session: ClientSession, state: SessionState): void {
    for (const { id, state: exchange, place } of state.exchanges) {
      session.window.restore(id, exchange as ExchangeState, place);
    }
    for (const { id } of state.receipts) session.receipts.add(id);
    const { tenure, watermarks, final } = state;
    // An owner after it may have died before it wrote anything, with messages of the client committed.
    const isComplete = final && session.ownerEpoch === tenure + 1;
    const last = isComplete ? [] : [{ tenure, from: watermarks, touched: [] }];
    const earlier = [...state.earlier, ...last].slice(-EARLIER_TENURES_MAX);
    const pending = state.receipts.filter((receipt) => receipt.pending).map(({ id }) => id);
    if (earlier.length === 0) return;
    session.repeats = new RepeatedPublishes(this.#context, session, {
      ...{ shards: this.#storage.shards, earlier, pending },
    });
  }
}

function subscribe(
  context: BrokerContext,
  session: ClientSession,
  { subscription: stored, since }: { subscription: StoredSubscription; since: number },
): void {
  const parsed = parseSubscriptionFilter(stored.key, context.settings.limits);
  if (!parsed.ok) return; // The limits were lowered since.
  const { qos, noLocal, retainAsPublished, retainHandling, identifier } = stored;
  const options = { qos, noLocal, retainAsPublished, retainHandling, identifier, since };
  const subscription = new Subscription(parsed.value.filter, session, options);
  session.addSubscription(stored.key, subscription);
  context.router.subscribe(subscription, parsed.value.shareName);
  if (subscription.group === null) return;
  session.noteGroups();
  context.groups.memberJoined(subscription.group);
}

function isUnavailable(error: unknown): boolean {
  return error instanceof JournalError && error.fault.code === 'JOURNAL_UNAVAILABLE';
}
