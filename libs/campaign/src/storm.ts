/**
 * Faults, one after the other, each undone after a while. A *unit* is what fails together: a host with
 * everything that runs on it, or one process.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '@robustmq/environment';
import type { Hosts } from './hosts.ts';
import type { ServiceProcess } from './service-process.ts';

/** `roll`: every unit in turn is ended and started again. `all`: every one is killed at once. */
export type FaultKind = 'kill' | 'stop' | 'cut' | 'isolate' | 'roll' | 'all';

export const FAULT_KINDS: readonly FaultKind[] = ['kill', 'stop', 'cut', 'isolate', 'roll', 'all'];

export interface FaultUnit {
  readonly name: string;
  /** Number of its host among `Hosts`; 0: the loopback interface, where nothing can be cut. */
  readonly host: number;
  readonly processes: readonly ServiceProcess[];
}

export interface FaultRecord {
  readonly kind: FaultKind;
  readonly unit: string;
  readonly beganAtMs: number;
  /** When it was undone. */
  endedAtMs: number;
}

export interface FaultStormOptions {
  readonly kinds: readonly FaultKind[];
  readonly seconds: number;
  readonly faultMs: readonly [least: number, most: number];
  readonly calmMs: readonly [least: number, most: number];
  /** Hears of every fault as it begins. */
  readonly tell: (progress: string) => void;
  /**
   * Resolves once `unit`, which was started again, serves: only then the next one is harmed, however long
   * a start takes, so that what a fault costs is its own.
   */
  readonly isBack: (unit: FaultUnit) => Promise<void>;
}

export interface FaultWorld {
  readonly units: readonly FaultUnit[];
  readonly hosts: Hosts | null;
  readonly random: SeededRandom;
}

/** Resolves when the time is over and everything is healed and running. */
export async function runFaultStorm(
  world: FaultWorld,
  options: FaultStormOptions,
): Promise<readonly FaultRecord[]> {
  const { units, random } = world;
  const faults: FaultRecord[] = [];
  const endMs = performance.now() + options.seconds * 1000;
  let turn = random.below(options.kinds.length);
  await pause(between(random, options.calmMs));
  while (performance.now() < endMs) {
    const kind = options.kinds[turn % options.kinds.length] ?? 'kill';
    turn += 1;
    const unit = units[random.below(units.length)] as FaultUnit;
    const fault: FaultRecord = {
      kind,
      unit: unit.name,
      beganAtMs: performance.now(),
      endedAtMs: 0,
    };
    faults.push(fault);
    options.tell(kind === 'roll' || kind === 'all' ? kind : `${kind} ${unit.name}`);
    await harm(world, { kind, unit, forMs: between(random, options.faultMs) }, options.isBack);
    fault.endedAtMs = performance.now();
    await pause(between(random, options.calmMs));
  }
  return faults;
}

async function harm(
  { units, hosts }: FaultWorld,
  fault: { readonly kind: FaultKind; readonly unit: FaultUnit; readonly forMs: number },
  isBack: (unit: FaultUnit) => Promise<void>,
): Promise<void> {
  const { kind, unit, forMs } = fault;
  switch (kind) {
    case 'kill':
      await killUnit(unit);
      await pause(forMs);
      startUnit(unit);
      await isBack(unit);
      return;
    case 'stop':
      for (const each of unit.processes) each.stop();
      await pause(forMs);
      for (const each of unit.processes) each.resume();
      return;
    case 'cut':
      hosts?.cut([[unit.host], units.map(({ host }) => host).filter((host) => host !== unit.host)]);
      await pause(forMs);
      hosts?.heal();
      return;
    case 'isolate':
      hosts?.isolate(unit.host);
      await pause(forMs);
      hosts?.heal();
      return;
    case 'roll':
      for (const each of units) {
        await Promise.all(each.processes.map((process) => process.end()));
        startUnit(each);
        await isBack(each);
      }
      return;
    case 'all':
      await Promise.all(units.map(killUnit));
      await pause(forMs / 4);
      for (const each of units) startUnit(each);
      // Or the next one would come before there is anything to kill.
      await Promise.all(units.map(isBack));
  }
}

function startUnit(unit: FaultUnit): void {
  for (const each of unit.processes) each.start();
}

async function killUnit(unit: FaultUnit): Promise<void> {
  await Promise.all(unit.processes.map((each) => each.kill()));
}

function between(random: SeededRandom, [least, most]: readonly [number, number]): number {
  return least + random.below(most - least + 1);
}
