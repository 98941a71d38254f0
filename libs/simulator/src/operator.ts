/** The operator: grows, shrinks and repairs the group, and moves its leadership, in mid-storm. */
import { encodeCommand, type Revision } from '@robustmq/placement';
import {
  bootstrapSnapshot,
  type Configuration,
  isJoint,
  type MembershipChange,
  membersOf,
  type NodeId,
} from '@robustmq/raft';
import { SimulatedNode } from './node.ts';
import type { World } from './world.ts';

const VOTERS_MAX = 5;
const MEMBERS_MAX = 7;

/** Keeps changes coming until the world is healed. */
export function operate(world: World): void {
  const { queue, random, profile } = world;
  if (profile.changeEveryMs === 0) return;
  queue.after(random.below(profile.changeEveryMs * 2) + 1, () => {
    if (world.healed) return;
    const leaders = [...world.nodes.values()].filter((node) => isLeading(node) && !node.isPaused);
    if (leaders.length > 0) changeSomething(world, random.pick(leaders));
    operate(world);
  });
}

/** Forgets the history but for the last revisions, again and again. */
export function forgetHistory(world: World): void {
  const { queue, random } = world;
  queue.after(random.between(500, 10_000), () => {
    if (world.healed) return;
    const leader = leaderOfHighestTerm(world);
    const revision = (leader?.machine.revision ?? 0) - random.below(40);
    if (leader !== null && !leader.isPaused && revision > 0) {
      const command = encodeCommand({ kind: 'compact', revision: revision as Revision });
      const output = leader.feed({ kind: 'propose', payloads: [command] });
      if (output?.proposal?.kind === 'appended') world.tally.add('history compacted');
    }
    forgetHistory(world);
  });
}

/** Removes what is lost for good, so that the healed group is whole. */
export function repair(world: World): void {
  const leader = leaderOfHighestTerm(world);
  if (leader?.state) {
    const lost = membersOf(leader.state.configuration).filter(
      (id) => !world.nodes.get(id)?.isRunning,
    );
    const changes = lost.map((node): MembershipChange => ({ kind: 'remove', node }));
    if (changes.length > 0) leader.feed({ kind: 'proposeMembership', changes });
  }
  world.queue.after(500, () => repair(world));
}

export function leaderOfHighestTerm(world: World): SimulatedNode | null {
  let leader: SimulatedNode | null = null;
  for (const node of world.nodes.values()) {
    if (!isLeading(node)) continue;
    if (leader === null || (node.state?.term ?? 0) > (leader.state?.term ?? 0)) leader = node;
  }
  return leader;
}

/** A node that joins: it knows nobody and waits to be told. */
function addFreshNode(world: World): NodeId {
  const waiting = [...world.nodes.values()].find(
    ({ isRunning, disk }) => isRunning && isFresh(disk),
  );
  if (waiting !== undefined) return waiting.id;
  const id = (Math.max(...world.nodes.keys()) + 1) as NodeId;
  const node = new SimulatedNode(world, id, bootstrapSnapshot(null));
  world.nodes.set(id, node);
  node.start();
  return id;
}

/** Nothing was ever written to it, and it is no founder: an invitation that was refused. */
function isFresh(disk: SimulatedNode['disk']): boolean {
  if (disk.lastIndex > 0 || disk.hardState.term > 0 || disk.pendingCount > 0) return false;
  return disk.snapshot.configuration.voters.length === 0;
}

function changeSomething(world: World, leader: SimulatedNode): void {
  const { random } = world;
  const { state } = leader;
  if (state === null) return;
  retireStrangers(world);
  if (random.chance(0.25)) {
    const to = random.pick(state.configuration.voters);
    world.tell?.(`operator: node ${leader.id} hands over to ${to}`);
    leader.feed({ kind: 'transferLeadership', to });
    world.tally.add('leadership transfer');
    return;
  }
  const changes = drawChanges(world, state.configuration);
  if (changes.length === 0) return;
  const output = leader.feed({ kind: 'proposeMembership', changes });
  if (output?.proposal?.kind === 'appended') world.tally.add('membership change');
  world.tell?.(
    `operator: node ${leader.id} changes ${JSON.stringify(changes)}: ${output?.proposal?.kind}`,
  );
}

function drawChanges(world: World, configuration: Configuration): MembershipChange[] {
  const { random, nodes } = world;
  const { voters, learners } = configuration;
  const members = membersOf(configuration);
  // A node whose disk is lost is replaced first.
  const lost = members.find((id) => nodes.get(id)?.status === 'refuses');
  if (lost !== undefined && voters.length > 3) return [{ kind: 'remove', node: lost }];
  const mayAdd = members.length < MEMBERS_MAX && !isJoint(configuration);
  if (learners.length === 0 && mayAdd) return [{ kind: 'addLearner', node: addFreshNode(world) }];
  const learner = learners.length > 0 ? random.pick(learners) : null;
  const others = voters.length > 3 ? [random.pick(voters)] : [];
  if (learner !== null && lost !== undefined) {
    return [
      { kind: 'promote', node: learner },
      { kind: 'remove', node: lost },
    ];
  }
  switch (random.below(5)) {
    case 0:
      return others.map((node) => ({ kind: 'remove', node }));
    case 1:
      return others.map((node) => ({ kind: 'demote', node }));
    case 2:
      return mayAdd ? [{ kind: 'addLearner', node: addFreshNode(world) }] : [];
    case 3:
      return learner !== null && voters.length < VOTERS_MAX
        ? [{ kind: 'promote', node: learner }]
        : [];
    default:
      return learner === null
        ? []
        : [
            { kind: 'promote', node: learner },
            { kind: 'remove', node: random.pick(voters) },
          ];
  }
}

/**
 * Nodes that nobody may count on any more are switched off now and then, not at once. What one
 * leader says is not enough: it may be deposed, and a later one may have invited them.
 */
function retireStrangers(world: World): void {
  const nodes = [...world.nodes.values()];
  if (nodes.some(({ status }) => status === 'down')) return; // Nobody knows what it would say.
  const members = membersThatCount(nodes);
  for (const node of nodes) {
    const wasMember = node.state !== null && node.state.commitIndex > 0;
    if (!members.has(node.id) && wasMember && world.random.chance(0.1)) node.retire();
  }
}

/** The members of the newest committed configuration, and of every one that may come after it. */
function membersThatCount(nodes: readonly SimulatedNode[]): ReadonlySet<NodeId> {
  const states = nodes.flatMap(({ state }) => (state === null ? [] : [state]));
  const newest = Math.max(
    ...states.map(({ configurations, commitIndex }) =>
      Math.max(...configurations.map(({ index }) => (index <= commitIndex ? index : 0))),
    ),
  );
  const placed = states.flatMap(({ configurations }) => configurations);
  const counting = placed.filter(({ index }) => index >= newest);
  return new Set(counting.flatMap(({ configuration }) => membersOf(configuration)));
}

function isLeading(node: SimulatedNode): boolean {
  return node.isRunning && node.state?.role.kind === 'leader';
}
