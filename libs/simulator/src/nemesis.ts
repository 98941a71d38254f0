/** The source of faults: at random times, one of everything that rung R1 lists. */
import type { SimulatedNode } from './node.ts';
import type { World } from './world.ts';

type Fault = (world: World, node: SimulatedNode) => void;

const FAULTS: readonly Fault[] = [
  crash,
  crash,
  crashEveryone,
  pause,
  isolate,
  split,
  cutOneWay,
  clogLinks,
  slowDisk,
  fillDisk,
  failFlush,
  flipBit,
  jumpClock,
];

/** Keeps faults coming until the world is healed. */
export function unleash(world: World): void {
  const { queue, random, profile } = world;
  queue.after(random.below(profile.faultEveryMs * 2) + 1, () => {
    if (world.healed) return;
    const victim = drawVictim(world);
    const fault = random.chance(profile.usurpations) ? usurp : random.pick(FAULTS);
    if (victim !== null) fault(world, victim);
    unleash(world);
  });
}

/** The moment in which Raft Figure 8 bites: a new leader is gone before its first commit. */
export function onNewLeader(world: World, node: SimulatedNode): void {
  if (world.healed || !world.random.chance(world.profile.newLeaderCrashes)) return;
  // Some while nobody has their first entry, some when a part of the others has.
  const soonMs = world.random.pick([3, 60]);
  world.tally.add('crash of a new leader');
  world.queue.after(world.random.between(1, soonMs), () => crash(world, node));
}

function drawVictim(world: World): SimulatedNode | null {
  const { random, nodes, profile } = world;
  const running = [...nodes.values()].filter((node) => node.isRunning);
  const leaders = running.filter((node) => node.state?.role.kind === 'leader');
  if (leaders.length > 0 && random.chance(profile.leaderShare)) return random.pick(leaders);
  return running.length > 0 ? random.pick(running) : null;
}

function crash(world: World, node: SimulatedNode): void {
  world.tally.add('crash');
  node.crash('power');
  restartLater(world, node);
}

function crashEveryone(world: World): void {
  if (!world.random.chance(0.3)) return;
  world.tally.add('crash of all');
  for (const node of world.nodes.values()) {
    if (node.isRunning) crash(world, node);
  }
}

function restartLater(world: World, node: SimulatedNode): void {
  world.queue.after(world.random.between(5, world.profile.restartMaxMs), () => node.start());
}

function pause(world: World, node: SimulatedNode): void {
  world.tally.add('pause');
  node.pause(world.random.between(100, 5_000));
}

function isolate(world: World, node: SimulatedNode): void {
  world.tally.add('isolation');
  world.tell?.(`node ${node.id} is isolated`);
  for (const other of world.nodes.keys()) cutBothWays(world, node, other);
  healLater(world);
}

function split(world: World): void {
  const nodes = world.random.shuffled([...world.nodes.values()]);
  world.tally.add('split');
  const half = nodes.slice(0, world.random.below(nodes.length + 1));
  world.tell?.(`split: ${half.map((node) => node.id).join(',')} against the rest`);
  for (const node of nodes) {
    if (half.includes(node)) continue;
    for (const other of half) cutBothWays(world, node, other.id);
  }
  healLater(world);
}

/**
 * The trap for leases: one follower stops hearing the leader and will campaign; around that time
 * the leader is cut off, and perhaps the others forget what they promised it.
 */
function usurp(world: World, leader: SimulatedNode): void {
  const { random, queue, nodes, profile } = world;
  const others = [...nodes.values()].filter((node) => node !== leader && node.isRunning);
  if (others.length === 0) return;
  world.tally.add('usurpation');
  const usurper = random.pick(others);
  cutBothWays(world, leader, usurper.id);
  const electionMs = profile.options.electionTimeoutTicks * profile.tickMs;
  queue.after(random.between(electionMs >> 1, electionMs * 2), () => {
    if (world.healed) return;
    for (const other of others) cutBothWays(world, leader, other.id);
    if (random.chance(0.5)) return;
    for (const other of others) {
      if (other === usurper || !other.isRunning) continue;
      other.crash('power');
      queue.after(random.between(1, 30), () => other.start());
    }
  });
  queue.after(electionMs * 3, () => world.network.heal());
}

function cutOneWay(world: World, node: SimulatedNode): void {
  world.tally.add('one-way cut');
  const towards = world.random.chance(0.5);
  for (const other of world.nodes.keys()) {
    if (!world.random.chance(0.7)) continue;
    if (towards) world.network.cut(other, node.id);
    else world.network.cut(node.id, other);
  }
  healLater(world);
}

function cutBothWays(world: World, node: SimulatedNode, other: SimulatedNode['id']): void {
  world.network.cut(node.id, other);
  world.network.cut(other, node.id);
}

function healLater(world: World): void {
  world.queue.after(world.random.between(500, 6_000), () => world.network.heal());
}

/** Messages are not lost but arrive seconds late: long enough for terms to have passed. */
function clogLinks(world: World, node: SimulatedNode): void {
  world.tally.add('clogged links');
  const forMs = world.random.between(1_000, 8_000);
  for (const other of world.nodes.keys()) {
    if (world.random.chance(0.5)) world.network.clog(node.id, other, forMs);
    if (world.random.chance(0.5)) world.network.clog(other, node.id, forMs);
  }
}

function slowDisk(world: World, node: SimulatedNode): void {
  world.tally.add('slow disk');
  node.slowDisk(world.random.between(1_000, 5_000));
}

function fillDisk(world: World, node: SimulatedNode): void {
  world.tally.add('disk full');
  world.tell?.(`node ${node.id}: the disk is full`);
  node.disk.full = true;
  world.queue.after(world.random.between(200, 4_000), () => {
    node.disk.full = false;
    node.start();
  });
}

function failFlush(world: World, node: SimulatedNode): void {
  node.disk.failsNextFlush = true;
  restartLater(world, node);
  world.queue.after(5_000, () => node.start());
}

/**
 * Damages one disk, so that its node is lost at the next start. At most one at a time, and never a
 * voter whose loss the others could not bear: that would be no fault of the software.
 */
function flipBit(world: World, node: SimulatedNode): void {
  if (!world.random.chance(0.5) || !mayLose(world)) return;
  if (!node.disk.flipBit()) return;
  world.tally.add('bit flipped');
  world.tell?.(`node ${node.id}: a bit flips on disk`);
  if (world.random.chance(0.7)) crash(world, node);
}

function mayLose(world: World): boolean {
  for (const node of world.nodes.values()) {
    if (node.disk.corrupt && node.status !== 'retired') return false;
    const { state } = node;
    if (state === null) continue;
    for (const { configuration } of state.configurations) {
      if (configuration.voters.length < 3) return false;
      if (configuration.outgoing.length > 0 && configuration.outgoing.length < 3) return false;
    }
  }
  return true;
}

function jumpClock(world: World, node: SimulatedNode): void {
  if (!world.profile.clockJumps) return;
  world.tally.add('clock jump');
  const hourMs = 3_600_000;
  node.jumpClock(world.random.pick([-hourMs, -5_000, -500, 500, 5_000, hourMs]));
}
