/** Faults, one after the other, each undone after a while; a majority is always left, but for `all`. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Hosts } from '@robustmq/campaign';
import type { SeededRandom } from '@robustmq/environment';
import type { Tell } from './campaign-result.ts';
import type { PlacementCluster } from './placement-cluster.ts';

/** A member must be back before the next one is stopped. */
const ROLL_LIMIT_MS = 60_000;

export type FaultKind = 'kill' | 'stop' | 'cut' | 'isolate' | 'roll' | 'all';

export interface Fault {
  readonly kind: FaultKind;
  readonly member: number;
  readonly beganAtMs: number;
  /** When it was undone. */
  endedAtMs: number;
}

export interface StormOptions {
  readonly kinds: readonly FaultKind[];
  readonly seconds: number;
  readonly faultMs: readonly [least: number, most: number];
  readonly calmMs: readonly [least: number, most: number];
  /** Hears of every fault as it begins. */
  readonly tell: Tell;
}

/** Resolves when the time is over and everything is healed and running. */
export async function runStorm(
  world: {
    readonly cluster: PlacementCluster;
    readonly hosts: Hosts | null;
    readonly random: SeededRandom;
  },
  options: StormOptions,
): Promise<readonly Fault[]> {
  const { cluster, random } = world;
  const faults: Fault[] = [];
  const endMs = performance.now() + options.seconds * 1000;
  let turn = random.below(options.kinds.length);
  await pause(between(random, options.calmMs));
  while (performance.now() < endMs) {
    const kind = options.kinds[turn % options.kinds.length] ?? 'kill';
    turn += 1;
    const member = 1 + random.below(cluster.members.length);
    const fault: Fault = { kind, member, beganAtMs: performance.now(), endedAtMs: 0 };
    faults.push(fault);
    options.tell(`${kind} member ${member}`);
    await harm(world, fault, between(random, options.faultMs));
    fault.endedAtMs = performance.now();
    await pause(between(random, options.calmMs));
  }
  return faults;
}

async function harm(
  { cluster, hosts }: { readonly cluster: PlacementCluster; readonly hosts: Hosts | null },
  { kind, member }: Fault,
  forMs: number,
): Promise<void> {
  const target = cluster.member(member);
  const others = cluster.members.map(({ options }) => options.nodeId).filter((id) => id !== member);
  switch (kind) {
    case 'kill':
      await target.kill();
      await pause(forMs);
      target.start();
      return;
    case 'stop':
      target.stop();
      await pause(forMs);
      target.resume();
      return;
    case 'cut':
      hosts?.cut([[member], others]);
      await pause(forMs);
      hosts?.heal();
      return;
    case 'isolate':
      hosts?.isolate(member);
      await pause(forMs);
      hosts?.heal();
      return;
    case 'roll':
      for (const each of cluster.members) {
        await each.end();
        each.start();
        await cluster.inStep(each, ROLL_LIMIT_MS);
      }
      return;
    case 'all':
      await cluster.killAll();
      await pause(forMs / 4);
      cluster.startAll();
  }
}

function between(random: SeededRandom, [least, most]: readonly [number, number]): number {
  return least + random.below(most - least + 1);
}
