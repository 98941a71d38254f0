/**
 * A few nodes on a table: messages move, disks flush and time passes only when a command says so.
 * The driver is the simplest correct one; a disk can be held, to show what waits for it.
 */
import { assert } from '@robustmq/errors';
import { type Configuration, configurationOf } from '../configuration.ts';
import type { Entry } from '../entry.ts';
import type { EntryId, LogIndex, NodeId, PersistNumber } from '../identifiers.ts';
import { LOG_START } from '../identifiers.ts';
import type { RaftInput } from '../input.ts';
import type { RaftMessage, SnapshotMetadata } from '../message.ts';
import { defaultRaftOptions, type RaftOptions } from '../options.ts';
import type { HardState, Persist, RaftOutput } from '../output.ts';
import { step } from '../raft.ts';
import { snapshotMetadataAt } from '../snapshot.ts';
import { bootstrapSnapshot, newRaftState, NO_HARD_STATE } from '../start.ts';
import type { RaftState } from '../state.ts';

/** One node: its state while it runs, and its disk always. */
export interface ScenarioNode {
  readonly id: NodeId;
  /** null while crashed. */
  state: RaftState | null;
  hardState: HardState;
  base: EntryId;
  entries: Entry[];
  snapshot: SnapshotMetadata;
  diskHeld: boolean;
  readonly waiting: { persist: Persist | null; messages: readonly RaftMessage[] }[];
  readonly applied: Entry[];
  readonly heard: string[];
}

export class ScenarioCluster {
  readonly nodes: Map<NodeId, ScenarioNode> = new Map();
  mail: RaftMessage[] = [];
  /** Sets of nodes that hear each other only; empty when all do. */
  partitions: readonly (readonly NodeId[])[] = [];
  #options: RaftOptions = defaultRaftOptions;

  /** Founds the group anew; `voters` know each other, `strangers` wait to be told. */
  found(voters: readonly NodeId[], options: Partial<RaftOptions>): void {
    this.#options = { ...defaultRaftOptions, ...options };
    for (const id of voters) this.add(id, configurationOf(voters));
  }

  add(id: NodeId, configuration: Configuration | null): ScenarioNode {
    const node: ScenarioNode = {
      id,
      state: null,
      hardState: NO_HARD_STATE,
      base: LOG_START,
      entries: [],
      snapshot: bootstrapSnapshot(configuration),
      diskHeld: false,
      waiting: [],
      applied: [],
      heard: [],
    };
    this.nodes.set(id, node);
    this.start(node);
    return node;
  }

  node(id: number): ScenarioNode {
    const node = this.nodes.get(id as NodeId);
    assert(node !== undefined, `there is no node ${id}`);
    return node;
  }

  start(node: ScenarioNode): void {
    const { id, hardState, snapshot, base: logBase, entries } = node;
    const options = this.#options;
    const appliedIndex = snapshot.last.index;
    const seed = id;
    const start = { id, options, seed, hardState, snapshot, logBase, entries, appliedIndex };
    node.state = newRaftState(start);
    node.applied.splice(0);
  }

  /** What was not flushed is lost, and so is what waited for it. */
  crash(node: ScenarioNode): void {
    node.state = null;
    node.waiting.splice(0);
    node.diskHeld = false;
  }

  feed(node: ScenarioNode, input: RaftInput): RaftOutput | null {
    if (node.state === null) return null;
    const output = step(node.state, input);
    this.#post(output.messages);
    node.applied.push(...output.committed);
    for (const { requestId, index } of output.readsReady)
      node.heard.push(`read ${requestId} at ${index}`);
    for (const requestId of output.readsRefused) node.heard.push(`read ${requestId} refused`);
    if (output.persist !== null || output.messagesAfterPersist.length > 0) {
      node.waiting.push({ persist: output.persist, messages: output.messagesAfterPersist });
    }
    if (!node.diskHeld) this.flush(node);
    this.#serveReads(node, output);
    return output;
  }

  /** Makes everything handed over durable and sends what waited for it. */
  flush(node: ScenarioNode): void {
    let through: PersistNumber | null = null;
    for (const { persist, messages } of node.waiting.splice(0)) {
      if (persist !== null) {
        store(node, persist);
        through = persist.number;
      }
      this.#post(messages);
    }
    if (through !== null) this.feed(node, { kind: 'persisted', through });
  }

  /** Delivers one message, or loses it when its way is cut or its receiver is down. */
  deliver(message: RaftMessage): void {
    const node = this.nodes.get(message.to);
    if (node === undefined || !this.#connects(message)) return;
    this.feed(node, { kind: 'receive', message });
  }

  /** Delivers, and delivers what follows from it, until no message is left. */
  settle(): void {
    for (let rounds = 0; this.mail.length > 0; rounds += 1) {
      assert(rounds < 1000, 'the messages never end');
      const mail = this.mail;
      this.mail = [];
      for (const message of mail) this.deliver(message);
    }
  }

  takeSnapshot(node: ScenarioNode): void {
    const { state } = node;
    if (state === null) return;
    const snapshot = snapshotMetadataAt(state, state.deliveredIndex);
    node.snapshot = snapshot;
    this.feed(node, { kind: 'snapshotTaken', snapshot });
    this.#compact(node, snapshot.last);
  }

  #compact(node: ScenarioNode, base: EntryId): void {
    node.entries = node.entries.filter((entry) => entry.index > base.index);
    node.base = base;
    this.feed(node, { kind: 'compact', through: base.index });
  }

  #serveReads(node: ScenarioNode, output: RaftOutput): void {
    for (const { to, from } of output.logReads) {
      const entries = node.entries.filter((entry) => entry.index >= from);
      this.feed(node, { kind: 'logRead', to, entries });
    }
    for (const { to, snapshotIndex, offset, bytesMax } of output.snapshotReads) {
      const data = SNAPSHOT_CONTENT.subarray(offset, offset + bytesMax);
      const done = offset + data.length >= SNAPSHOT_CONTENT.length;
      this.feed(node, { kind: 'snapshotRead', to, snapshotIndex, offset, data, done });
    }
    if (output.snapshotWrite?.done !== true) return;
    const { snapshot } = output.snapshotWrite;
    node.snapshot = snapshot;
    this.feed(node, { kind: 'snapshotInstalled', snapshot });
    this.#compact(node, snapshot.last);
  }

  #post(messages: readonly RaftMessage[]): void {
    this.mail.push(...messages);
  }

  #connects({ from, to }: RaftMessage): boolean {
    if (this.partitions.length === 0) return true;
    return this.partitions.some((side) => side.includes(from) && side.includes(to));
  }
}

/** What every snapshot holds: the content does not matter here, only that it takes pieces. */
const SNAPSHOT_CONTENT = new Uint8Array(10);

function store(node: ScenarioNode, { hardState, resetTo, entries }: Persist): void {
  if (hardState !== null) node.hardState = hardState;
  if (resetTo !== null) {
    node.base = resetTo;
    node.entries = [];
  }
  const first: LogIndex | undefined = entries[0]?.index;
  if (first === undefined) return;
  node.entries = [...node.entries.filter((entry) => entry.index < first), ...entries];
}
