import { SeededRandom } from '@robustmq/environment';
import type { Hold, RequestKind } from '@robustmq/journal-memory';
import type { Packet, Qos } from '@robustmq/mqtt-codec';
import { PublisherActor, SubscriberActor } from './actors.fixture.ts';
import { Cluster, type Node, turns, until } from './cluster.fixture.ts';

const NODES = 3;
const HELD: readonly RequestKind[] = ['append', 'write', 'tail', 'read', 'committed'];
/** What members subscribe to. */
export const GROUP_FILTER = '$share/workers/#';

function subscribePacket(filter: string, qos: Qos): Packet {
  const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return {
    kind: 'subscribe',
    packetIdentifier: 1,
    subscriptions: [{ filter, ...options }],
    properties: {},
  };
}

/** The member subscribes, or does so anew, and has its SUBACK. */
export async function joinGroup({ peer }: SubscriberActor): Promise<void> {
  if (peer === null) return;
  const known = peer.packets.length;
  peer.send(subscribePacket(GROUP_FILTER, 2));
  await until(() => peer.closed || peer.packets.slice(known).some(({ kind }) => kind === 'suback'));
}

/** A durable member of the group, which acknowledges what it gets. */
export async function memberAt(
  cluster: Cluster,
  node: Node,
  clientId: string,
  receiveMaximum = 20,
): Promise<SubscriberActor> {
  const member = new SubscriberActor(clientId, receiveMaximum);
  await member.connect(cluster, node);
  await joinGroup(member);
  return member;
}

/** @returns what was published and acknowledged, as subscribers see it */
export async function publishAll(
  cluster: Cluster,
  node: Node,
  count: number,
  qos: 1 | 2,
): Promise<readonly string[]> {
  const topics = ['x/1', 'y/2'];
  const publisher = new PublisherActor(`publisher-${cluster.nodes.length}-${count}`, topics);
  await publisher.connect(cluster, node);
  for (let number = 0; number < count; number += 1) publisher.publish(number, qos);
  await until(() => publisher.openCount === 0);
  publisher.drop();
  return [...publisher.counts].flatMap(([kind, sent]) =>
    Array.from({ length: sent }, (_, number) => `${kind} ${number}`),
  );
}

/** Members of one shared subscription who come and go over several brokers, as a seed says. */
export class GroupModel {
  readonly random: SeededRandom;
  readonly cluster: Cluster = new Cluster('real');
  readonly publishers: readonly PublisherActor[] = [
    new PublisherActor('p1', ['x/1', 'y/1']),
    new PublisherActor('p2', ['x/2', 'z']),
  ];
  readonly members: readonly SubscriberActor[] = [
    new SubscriberActor('m1', 20),
    new SubscriberActor('m2', 3),
    new SubscriberActor('m3', 50),
  ];
  /** Whether members end their sessions now and then: QoS 2 that was sent ends with them. */
  readonly #mayLeave: boolean;
  readonly #nodes: Node[] = [];
  #holds: { readonly node: Node; readonly hold: Hold }[] = [];

  constructor(seed: number, mayLeave: boolean) {
    this.random = new SeededRandom(seed);
    this.#mayLeave = mayLeave;
  }

  async start(): Promise<void> {
    for (let id = 1; id <= NODES; id += 1) this.#nodes.push(await this.#begin(id));
    for (const [index, member] of this.members.entries()) {
      await member.connect(this.cluster, this.#nodes[index] as Node);
      await joinGroup(member);
    }
  }

  async step(): Promise<void> {
    const action = this.random.below(100);
    if (action < 50) await this.#publishSome();
    else if (action < 68) await this.#comeOrGo();
    else if (action < 76) this.#muteOrSpeak();
    else if (action < 82) this.#hold();
    else if (action < 88) this.#release();
    else if (action < 90) await this.#crash();
    else if (action < 94 && this.#mayLeave) await this.#leave();
    else await turns(this.random.below(30));
    await turns(this.random.below(3));
  }

  /** Everybody is there and speaks until nothing is owed any more. */
  async settle(isOver: () => boolean): Promise<void> {
    this.#releaseAll();
    for (const actor of [...this.publishers, ...this.members]) {
      do await actor.connect(this.cluster, this.#someNode());
      while (!actor.online);
    }
    for (const member of this.members) {
      member.speak();
      await joinGroup(member);
    }
    const isDone = (): boolean =>
      this.publishers.every(({ openCount }) => openCount === 0) && isOver();
    for (let taken = -1; taken !== this.#taken && !isDone(); ) {
      taken = this.#taken;
      await until(() => this.#taken > taken || isDone()).catch(() => {});
    }
    await turns(50);
  }

  /** What was published and no member got. @param qos  of the messages */
  lost(qos: Qos): readonly string[] {
    const seen = new Set(this.members.flatMap(({ texts }) => texts));
    return this.#published(qos).filter((text) => !seen.has(text));
  }

  /** What came with QoS 2 more than once, whoever got it. */
  get doubled(): readonly string[] {
    const once = new Set<string>();
    const all = this.members.flatMap(({ exactlyOnce }) => exactlyOnce);
    return all.filter((text) => once.has(text) || !once.add(text));
  }

  get messages(): number {
    return this.#published(1).length + this.#published(2).length;
  }

  get #taken(): number {
    return this.members.reduce((sum, { texts }) => sum + texts.length, 0);
  }

  #published(qos: Qos): string[] {
    const published: string[] = [];
    for (const { counts } of this.publishers) {
      for (const [kind, count] of counts) {
        if (!kind.endsWith(` ${qos}`)) continue;
        for (let number = 0; number < count; number += 1) published.push(`${kind} ${number}`);
      }
    }
    return published;
  }

  async #begin(id: number): Promise<Node> {
    return this.cluster.start(`n${id}`, id);
  }

  #someNode(): Node {
    return this.#nodes[this.random.below(NODES)] as Node;
  }

  async #publishSome(): Promise<void> {
    const publisher = this.publishers[this.random.below(2)] as PublisherActor;
    if (!publisher.online) await publisher.connect(this.cluster, this.#freeNode());
    for (let left = this.random.below(20); left > 0; left -= 1) {
      publisher.publish(this.random.below(2), this.random.below(3) === 0 ? 1 : 2);
    }
  }

  async #comeOrGo(): Promise<void> {
    const actors = [...this.publishers, ...this.members];
    const actor = actors[this.random.below(actors.length)];
    if (actor === undefined) return;
    if (actor.online && this.random.below(2) === 0) actor.drop();
    else await actor.connect(this.cluster, this.#freeNode());
  }

  /** The session of a member ends with its connection; it comes back as a new one. One always stays. */
  async #leave(): Promise<void> {
    const member = this.members[1 + this.random.below(2)] as SubscriberActor;
    const node = this.#freeNode();
    if (member.peer === null) await member.connect(this.cluster, node);
    const { peer } = member;
    if (peer === null) return;
    const properties = { sessionExpiryIntervalSeconds: 0 };
    peer.send({ kind: 'disconnect', reasonCode: 0, properties });
    member.forget();
    await member.connect(this.cluster, this.#someNode());
    await joinGroup(member);
  }

  #muteOrSpeak(): void {
    const member = this.members[this.random.below(this.members.length)];
    if (member?.mute === true) member.speak();
    else if (member !== undefined) member.mute = true;
  }

  /** A move needs the journal: nothing is held back meanwhile. */
  #freeNode(): Node {
    this.#releaseAll();
    return this.#someNode();
  }

  #releaseAll(): void {
    for (const { hold } of this.#holds.splice(0)) hold.release();
  }

  #hold(): void {
    const node = this.#someNode();
    const kind = HELD[this.random.below(HELD.length)] as RequestKind;
    const hold = this.cluster.memory.faults.hold({ process: node.name, kinds: [kind] });
    this.#holds.push({ node, hold });
  }

  #release(): void {
    const held = this.#holds.shift();
    if (this.random.below(3) === 0) held?.hold.drop();
    else held?.hold.release();
  }

  /** In the middle of whatever goes on; what it sent is lost or arrives late. */
  async #crash(): Promise<void> {
    const at = this.random.below(NODES);
    const node = this.#nodes[at] as Node;
    const late = this.random.below(2) === 0;
    const own = this.#holds.filter((each) => each.node === node);
    this.#releaseOthers(node);
    await this.cluster.crash(node);
    await turns(this.random.below(3));
    for (const { hold } of own) {
      if (late) setImmediate(() => hold.release());
      else hold.drop();
    }
    this.#nodes[at] = await this.#begin(node.producer.id);
  }

  #releaseOthers(node: Node): void {
    for (const each of this.#holds) if (each.node !== node) each.hold.release();
    this.#holds = [];
  }
}
