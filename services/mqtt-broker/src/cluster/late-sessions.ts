import { JournalError, type ProducerName } from '@robustmq/journal';
import type { PublishOutcome } from '../publish-message.ts';
import type { ClientSession } from '../session/client-session.ts';
import type {
  DurableSessions,
  Gift,
  GiftOutcome,
  GroupDealing,
  GroupMember,
  GroupTerm,
  Publication,
  StoredSession,
} from './contract.ts';

/** The durable path of the life that this broker has now; without one every call is refused. */
export class LateSessions implements DurableSessions {
  /** null: between two lives, or at the start. */
  current: DurableSessions | null = null;

  async restore(stored: StoredSession, deadlineMs: number): Promise<void> {
    await this.#open.restore(stored, deadlineMs);
  }

  async settle(session: ClientSession, deadlineMs: number): Promise<void> {
    await this.#open.settle(session, deadlineMs);
  }

  async deal(
    group: GroupTerm,
    members: readonly GroupMember[],
    deadlineMs: number,
  ): Promise<GroupDealing> {
    return this.#open.deal(group, members, deadlineMs);
  }

  async forget(clientId: string, epoch: number, deadlineMs: number): Promise<void> {
    await this.#open.forget(clientId, epoch, deadlineMs);
  }

  async fence(producer: ProducerName, deadlineMs: number): Promise<void> {
    await this.#open.fence(producer, deadlineMs);
  }

  async receive(gift: Gift): Promise<GiftOutcome> {
    return this.#open.receive(gift);
  }

  placeOf(topic: string): number {
    return this.#open.placeOf(topic);
  }

  async publishAs(name: string, publish: () => PublishOutcome): Promise<boolean> {
    return this.#open.publishAs(name, publish);
  }

  async isPublished(publication: Publication, deadlineMs: number): Promise<boolean> {
    return this.#open.isPublished(publication, deadlineMs);
  }

  get #open(): DurableSessions {
    if (this.current !== null) return this.current;
    const detail = 'this broker has no place in its cluster at the moment';
    throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 'mqtt', detail });
  }
}
