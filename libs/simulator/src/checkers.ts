/**
 * The invariants of rung R1 that hold at every moment, checked after every step.
 *
 * Each check costs a constant per new entry, message or commit, because it compares with one
 * global record of what was ever seen, instead of node with node.
 */
import {
  type Configuration,
  type Entry,
  holdsLease,
  type NodeId,
  type RaftMessage,
  type RaftState,
  statusOf,
} from '@robustmq/raft';
import { ChangeChecker } from './change-checker.ts';
import type { Disk } from './disk.ts';
import { LeaseChecker } from './lease-checker.ts';
import { ShardChecker } from './shard-checker.ts';
import { Violation } from './violation.ts';

interface SeenEntry {
  readonly entry: Entry;
  readonly previousTerm: number | null;
}

interface CommittedEntry {
  readonly term: number;
  /** The term of the leader that committed it. */
  readonly committedIn: number;
  stateDigest: number | null;
}

/** What the checkers must know of a node before a step to judge it afterwards. */
export interface Before {
  readonly isLeader: boolean;
  readonly commitIndex: number;
  readonly configuration: Configuration;
}

export class Checkers {
  readonly #leaders = new Map<number, NodeId>();
  readonly #entries = new Map<number, SeenEntry>();
  readonly #committed: CommittedEntry[] = [];
  readonly #executions = new Map<string, number>();
  readonly leases: LeaseChecker = new LeaseChecker();
  readonly changes: ChangeChecker = new ChangeChecker();
  readonly shard: ShardChecker = new ShardChecker();
  readonly #diskOf: (node: NodeId) => Disk | undefined;

  constructor(diskOf: (node: NodeId) => Disk | undefined) {
    this.#diskOf = diskOf;
  }

  get committedCount(): number {
    return this.#committed.length;
  }

  before(state: RaftState): Before {
    const { role, commitIndex, configuration } = state;
    return { isLeader: role.kind === 'leader', commitIndex, configuration };
  }

  afterStep(state: RaftState, before: Before): void {
    const isLeader = state.role.kind === 'leader';
    if (isLeader && !before.isLeader) this.#checkNewLeader(state);
    if (state.commitIndex <= before.commitIndex) return;
    this.#checkCommitted(state, before.commitIndex);
    if (isLeader && before.isLeader) this.#checkDurableQuorum(state, before.configuration);
  }

  /** Nobody is elected while another leader may still answer reads alone (Raft thesis §6.4.1). */
  elected(leader: RaftState, other: RaftState): void {
    if (other.term >= leader.term || !holdsLease(other)) return;
    const detail = `node ${leader.id} leads ${leader.term}, ${other.id} still ${other.term}`;
    throw new Violation('lease beside a new leader', detail);
  }

  /** Log matching (Raft §5.3): one predecessor and one content per index and term. */
  appended(state: RaftState, entry: Entry): void {
    const id = entry.index * 1_000_000 + entry.term;
    const previousTerm = state.log.termAt((entry.index - 1) as typeof entry.index);
    const seen = this.#entries.get(id);
    if (seen === undefined) {
      this.#entries.set(id, { entry, previousTerm });
      return;
    }
    const differs = seen.entry !== entry && !equalContents(seen.entry, entry);
    if (differs || seen.previousTerm !== previousTerm) {
      throw new Violation('log matching', `node ${state.id}, entry ${entry.index}.${entry.term}`);
    }
  }

  /** State machine safety (Raft §5.4.3): one entry and one state per applied index. */
  applied(node: NodeId, entry: Entry, stateDigest: number): void {
    const committed = this.#committed[entry.index];
    const seen = this.#entries.get(entry.index * 1_000_000 + entry.term);
    if (committed?.term !== entry.term) {
      throw new Violation(
        'state machine safety',
        `node ${node} applied ${entry.index}.${entry.term}`,
      );
    }
    if (seen !== undefined && seen.entry !== entry && !equalContents(seen.entry, entry)) {
      throw new Violation('state machine safety', `node ${node} applied another ${entry.index}`);
    }
    this.#checkDigest(node, entry.index, stateDigest);
  }

  /** The content that a snapshot brought. */
  installed(node: NodeId, index: number, stateDigest: number): void {
    this.#checkDigest(node, index, stateDigest);
  }

  /** A request takes effect at one log index only, however often it was sent. */
  executed(request: string, index: number): void {
    const earlier = this.#executions.get(request);
    if (earlier === undefined) this.#executions.set(request, index);
    else if (earlier !== index) {
      throw new Violation('retry applied twice', `request ${request} at ${earlier} and ${index}`);
    }
  }

  /** Vote, term and entries are on disk before an answer says so (Raft Figure 2). */
  sent(disk: Disk, message: RaftMessage): void {
    const { term, votedFor } = disk.hardState;
    const isPreVote = message.kind === 'preVoteResponse' || message.kind === 'preVoteRequest';
    if (!isPreVote && term < message.term) {
      throw new Violation('promise before the disk', `${message.kind} of term ${message.term}`);
    }
    if (message.kind === 'voteResponse' && message.granted && term === message.term) {
      if (votedFor !== message.to) throw new Violation('promise before the disk', 'a vote');
    }
    if (message.kind === 'appendAccepted' && term === message.term) {
      const reached = Math.max(disk.lastIndex, disk.snapshot.last.index);
      if (reached < message.matchIndex) {
        throw new Violation('promise before the disk', `entries up to ${message.matchIndex}`);
      }
    }
  }

  #checkNewLeader(state: RaftState): void {
    const other = this.#leaders.get(state.term);
    if (other !== undefined && other !== state.id) {
      throw new Violation('election safety', `term ${state.term}: ${other} and ${state.id}`);
    }
    this.#leaders.set(state.term, state.id);
    this.#checkComplete(state);
  }

  /**
   * Leader completeness (Raft §5.4): what was committed in an earlier term is in the leader's log.
   * A vote may arrive so late that a leader of a later term has committed meanwhile: that does not
   * count, hence the term of the commitment and not of the entry.
   */
  #checkComplete(state: RaftState): void {
    let index = this.#committed.length - 1;
    while (index > 0 && (this.#committed[index]?.committedIn ?? 0) >= state.term) index -= 1;
    for (let checked = 0; checked < 50 && index > state.log.base.index; checked += 1) {
      const committed = this.#committed[index];
      const own = state.log.termAt(index as typeof state.commitIndex);
      if (committed !== undefined && own !== committed.term) {
        throw new Violation('leader completeness', `node ${state.id} lacks ${index}`);
      }
      index -= 1;
    }
  }

  #checkCommitted(state: RaftState, from: number): void {
    for (let index = from + 1; index <= state.commitIndex; index += 1) {
      const term = state.log.termAt(index as typeof state.commitIndex);
      if (term === null) continue; // Below a snapshot that was just installed.
      const committed = this.#committed[index];
      if (committed === undefined) {
        this.#committed[index] = { term, committedIn: state.term, stateDigest: null };
      } else if (committed.term !== term) {
        const detail = `node ${state.id}, ${index}: ${committed.term}, now ${term}`;
        throw new Violation('committed entry changed', detail);
      }
    }
  }

  /** What a leader declares committed is on the disks of a majority (of either half). */
  #checkDurableQuorum(state: RaftState, before: Configuration): void {
    const { commitIndex } = state;
    const term = state.log.termAt(commitIndex);
    const holds = (node: NodeId): boolean => isOnDisk(this.#diskOf(node), commitIndex, term);
    const ok = [before, state.configuration].some((configuration) =>
      [configuration.voters, configuration.outgoing].every(
        (half) => half.length === 0 || half.filter(holds).length * 2 > half.length,
      ),
    );
    if (!ok) {
      const detail = `entry ${commitIndex}.${term}, ${JSON.stringify(statusOf(state).configuration)}`;
      throw new Violation('commit without durable quorum', detail);
    }
  }

  #checkDigest(node: NodeId, index: number, stateDigest: number): void {
    const committed = this.#committed[index];
    if (committed === undefined) return;
    committed.stateDigest ??= stateDigest;
    if (committed.stateDigest !== stateDigest) {
      throw new Violation('state machine safety', `node ${node} has another state at ${index}`);
    }
  }
}

function isOnDisk(disk: Disk | undefined, index: number, term: number | null): boolean {
  if (disk === undefined) return false;
  if (index <= disk.base.index || index <= disk.snapshot.last.index) return true;
  return disk.entries[index - disk.base.index - 1]?.term === term;
}

function equalContents(left: Entry, right: Entry): boolean {
  if (left.kind === 'data' && right.kind === 'data') {
    return left.data.every((byte, at) => byte === right.data[at]);
  }
  return JSON.stringify(left) === JSON.stringify(right);
}
