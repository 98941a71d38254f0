import { NodeLinkError } from '@robustmq/node-link';
import {
  preferredNodes,
  type Registration,
  type RegistryBatch,
  type ShareLeader,
  type SubscriptionRecord,
} from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';
import { waitMs } from '../broker-environment.ts';
import type { ClusterEdges } from './cluster-edges.ts';
import type {
  ClusterGroups,
  Denial,
  Gift,
  GiftOutcome,
  GroupDealing,
  MemberRoom,
  MemberTerm,
} from './contract.ts';
import { DeadLives } from './dead-lives.ts';
import { DurableGroups } from './durable-groups.ts';
import { decodeGiftOutcome, encodeQuestion, type LinkQuestion } from './link-questions.ts';
import type { Peers } from './peers.ts';

const RETRY = { firstMs: 50, longestMs: 2_000 };
/** For a question to a dealer. */
const ASK_MS = 5_000;
const LED_POLL_MS = 20;

/** A gift is held as long as its member does not acknowledge it: only the end of a link ends the wait. */
const GIVE_MS = 24 * 3_600_000;

type GroupQuestion = Extract<
  LinkQuestion,
  { readonly kind: 'want' | 'endMember' | 'dealt' | 'deny' }
>;

/** A group that this broker deals out. */
interface Dealt {
  readonly epoch: number;
  readonly dealing: GroupDealing;
}

/**
 * Who deals out the messages of shared groups with durable members: one broker for each, named in the
 * placement center for as long as its registration stands.
 *
 *     named (epoch) ─▶ dead lives fenced ─▶ record claimed by the epoch ─▶ dealing
 *
 * The broker that all agree on for a group names a dealer when it has none that is alive; the others hear
 * of it by watch. A group is dealt as long as a durable session is subscribed, online or not.
 */
export class GroupLeadership implements ClusterGroups {
  readonly #edges: ClusterEdges;
  readonly #peers: Peers;
  readonly #registrationOf: () => Registration | null;
  readonly #groups: DurableGroups;
  readonly #deadLives: DeadLives;
  readonly #leaders = new Map<string, ShareLeader>();
  readonly #dealt = new Map<string, Dealt>();
  /** Being brought in order; true: once more. */
  readonly #working = new Map<string, boolean>();
  #stopped = false;

  constructor(parts: {
    readonly edges: ClusterEdges;
    readonly peers: Peers;
    readonly registrationOf: () => Registration | null;
  }) {
    this.#edges = parts.edges;
    this.#peers = parts.peers;
    this.#registrationOf = parts.registrationOf;
    const { context, durable, settings } = parts.edges;
    this.#groups = new DurableGroups(context.settings.limits);
    this.#deadLives = new DeadLives((life) => durable.fence(life, settings.stateDeadlineMs));
  }

  isDealt(key: string): boolean {
    return this.#groups.get(key) !== undefined;
  }

  groupsOf(clientId: string): readonly string[] {
    return this.#groups.groupsOf(clientId);
  }

  hasOthers(key: string, clientId: string): boolean {
    const members = this.#groups.get(key)?.members;
    return members !== undefined && members.size > (members.has(clientId) ? 1 : 0);
  }

  async want(key: string, want: MemberRoom): Promise<void> {
    await this.#ask({ kind: 'want', key, ...want });
  }

  async endMember(key: string, member: MemberTerm): Promise<void> {
    await this.#ask({ kind: 'endMember', key, ...member });
  }

  async deny(key: string, denial: Denial): Promise<void> {
    await this.#ask({ kind: 'deny', key, ...denial });
  }

  async give(node: number, gift: Gift): Promise<GiftOutcome> {
    if (node === this.#peers.self) return this.#edges.durable.receive(gift);
    try {
      const question = encodeQuestion({ kind: 'give', ...gift });
      return decodeGiftOutcome(await this.#peers.linkTo(node).ask(question, GIVE_MS));
    } catch (error) {
      if (error instanceof NodeLinkError) return 'returned';
      throw error;
    }
  }

  /** Settles with whether all of these groups have a dealer within that time. */
  async areDealt(keys: readonly string[], limitMs: number): Promise<boolean> {
    const { clock, timers } = this.#edges;
    const endMs = clock.monotonicMs() + limitMs;
    for (const key of keys) {
      for (;;) {
        const isDealt = await this.#ask({ kind: 'dealt', key }).then(
          () => true,
          () => false,
        );
        if (isDealt) break;
        if (this.#stopped || clock.monotonicMs() > endMs) return false;
        await waitMs(timers, LED_POLL_MS);
      }
    }
    return true;
  }

  /** @returns false: this broker does not deal the group, or not to that member. @throws JournalError */
  async answer(from: number, question: GroupQuestion): Promise<boolean> {
    const dealing = this.#dealt.get(question.key)?.dealing;
    if (dealing === undefined) return false;
    if (question.kind === 'want') return dealing.want(from, question);
    if (question.kind === 'deny') dealing.deny(question);
    if (question.kind === 'endMember') await dealing.endMember(question, ASK_MS);
    return true;
  }

  applySubscriptions(batch: RegistryBatch<SubscriptionRecord>, extent: 'whole' | 'changes'): void {
    for (const key of this.#groups.apply(batch, extent)) this.#groupChanged(key);
  }

  applyLeaders(batch: RegistryBatch<ShareLeader>, extent: 'whole' | 'changes'): void {
    if (extent === 'whole') this.#leaders.clear();
    for (const change of batch.changes) {
      const names = change.kind === 'put' ? change.stored.names : change.names;
      const [key = ''] = names;
      if (change.kind === 'put') this.#heard(change.stored.value);
      else this.#leaders.delete(key);
      this.#bring(key);
    }
    if (extent === 'whole') this.#bringAll();
  }

  peersChanged(): void {
    const alive = new Set(this.#peers.alive.keys());
    for (const { dealing } of this.#dealt.values()) dealing.keepNodes(alive);
    this.#bringAll();
  }

  /** The path of a life is open. */
  begun(): void {
    for (const key of this.#groups.keys()) this.#groupChanged(key);
  }

  /** This life of the broker is over: others deal what it dealt. */
  lifeOver(): void {
    for (const { dealing } of this.#dealt.values()) dealing.stop();
    this.#dealt.clear();
  }

  stop(): void {
    this.#stopped = true;
    this.lifeOver();
  }

  #heard(leader: ShareLeader): void {
    const known = this.#leaders.get(leader.group);
    if (known === undefined || known.epoch <= leader.epoch) this.#leaders.set(leader.group, leader);
  }

  #groupChanged(key: string): void {
    const { context } = this.#edges;
    const group = context.router.groupNamed(key);
    if (group !== null) context.groups.memberJoined(group);
    const entry = this.#groups.get(key);
    const dealt = this.#dealt.get(key);
    if (entry !== undefined && dealt !== undefined) {
      dealt.dealing.setMembers([...entry.members.values()]);
    }
    this.#bring(key);
  }

  #bringAll(): void {
    for (const key of this.#groups.keys()) this.#bring(key);
  }

  #bring(key: string): void {
    if (this.#working.has(key)) {
      this.#working.set(key, true);
      return;
    }
    void this.#bringInOrder(key);
  }

  /** Never rejects. */
  async #bringInOrder(key: string): Promise<void> {
    const backoff = new Backoff(RETRY, this.#edges.random);
    do {
      this.#working.set(key, false);
      try {
        await this.#step(key);
      } catch (error) {
        this.#edges.failed(`dealing the shared group ${key}`, error);
        const delayMs = backoff.nextMs();
        await waitMs(this.#edges.timers, delayMs);
        this.#working.set(key, true);
      }
    } while (this.#working.get(key) === true && !this.#stopped);
    this.#working.delete(key);
  }

  async #step(key: string): Promise<void> {
    const registration = this.#registrationOf();
    const dealt = this.#dealt.get(key);
    if (registration === null || this.#stopped) return;
    if (this.#groups.get(key) === undefined) {
      this.#dealt.delete(key);
      dealt?.dealing.end();
      return;
    }
    let leader = this.#leaders.get(key);
    if (leader === undefined || !this.#isAlive(leader)) {
      const [named] = preferredNodes(key, [...this.#peers.alive.keys()], 1);
      if (named !== this.#peers.self) return;
      const { registries, settings } = this.#edges;
      const call = { deadlineMs: settings.callDeadlineMs, signal: null };
      leader = await registries.shareLeaders.leaderOf(key, call);
      this.#heard(leader);
    }
    const { nodeId, incarnation } = registration.node;
    const isOurs = leader.nodeId === nodeId && leader.incarnation === incarnation;
    if (isOurs && dealt?.epoch === leader.epoch) return;
    this.#dealt.delete(key);
    dealt?.dealing.stop();
    if (isOurs) await this.#begin(leader, registration);
  }

  /** Of the dealers before, none that is over commits anything any more. */
  async #begin({ group: key, epoch }: ShareLeader, registration: Registration): Promise<void> {
    const { registries, durable, settings } = this.#edges;
    const call = { deadlineMs: settings.callDeadlineMs, signal: null };
    const entry = this.#groups.get(key);
    if (entry === undefined) return;
    await this.#deadLives.settle(await registries.nodes.listLives('mqtt-broker', call));
    const { shareName, filter } = entry;
    const members = [...entry.members.values()];
    const term = { key, shareName, filter, epoch };
    const dealing = await durable.deal(term, members, settings.stateDeadlineMs);
    if (this.#stopped || this.#registrationOf() !== registration) {
      dealing.stop();
      return;
    }
    this.#dealt.set(key, { epoch, dealing });
    // It may have changed while the shards were read.
    const now = this.#groups.get(key);
    if (now === undefined) this.#working.set(key, true);
    else dealing.setMembers([...now.members.values()]);
  }

  #isAlive({ nodeId, incarnation }: ShareLeader): boolean {
    return this.#peers.alive.get(nodeId)?.incarnation === incarnation;
  }

  async #ask(question: GroupQuestion): Promise<void> {
    const leader = this.#leaders.get(question.key);
    if (leader === undefined || !this.#isAlive(leader)) {
      throw new Error(`group ${question.key} has no dealer at the moment`);
    }
    if (leader.nodeId !== this.#peers.self) {
      await this.#peers.linkTo(leader.nodeId).ask(encodeQuestion(question), ASK_MS);
    } else if (!(await this.answer(leader.nodeId, question))) {
      throw new Error(`this broker does not deal group ${question.key} to it yet`);
    }
  }
}
