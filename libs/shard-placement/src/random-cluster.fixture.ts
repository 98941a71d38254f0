/** A cluster of servers and shards under one seed: what each member has, and what leaders do. */

import { SeededRandom } from '@robustmq/environment';
import type { ClusterView, ObservedMembers, ShardView } from './cluster-view.ts';
import { type MembershipStep, nextMembershipStep } from './membership-step.ts';
import { type PlacementRules, planPlacement } from './plan-placement.ts';

const RULES: PlacementRules = { repairsMax: 3, movesMax: 2, patient: new Set() };

interface SimulatedShard {
  view: ShardView;
  voters: number[];
  learners: number[];
  /** How much of what was committed each member has. */
  readonly progress: Map<number, number>;
  committed: number;
}

export class RandomCluster {
  readonly random: SeededRandom;
  readonly alive: Set<number> = new Set();
  readonly lost: Set<number> = new Set();
  readonly shards: SimulatedShard[] = [];
  servers = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    for (let count = 1 + this.random.below(5); count > 0; count -= 1) this.addServer();
  }

  /** One event of any kind. */
  step(): void {
    const event = this.random.below(100);
    if (event < 4 && this.servers < 8) this.addServer();
    else if (event < 12) this.#stopServer();
    else if (event < 16) this.#loseServer();
    else if (event < 24) this.reviveOne();
    else if (event < 30 && this.shards.length < 20) this.#createShard();
    else if (event < 55) this.plan(this.random.below(4));
    else this.#workOn(this.shards[this.random.below(Math.max(1, this.shards.length))]);
  }

  addServer(): void {
    this.servers += 1;
    this.alive.add(this.servers);
  }

  reviveOne(): void {
    const away = this.#all().filter((server) => !this.alive.has(server));
    const server = away[this.random.below(Math.max(1, away.length))];
    if (server !== undefined) this.revive(server);
  }

  revive(server: number): void {
    this.alive.add(server);
    this.lost.delete(server);
  }

  /** The controller looks, decides, and carries out at most `count` of its decisions before it dies. */
  plan(count: number): number {
    const decisions = planPlacement(this.clusterView(), RULES);
    for (const decision of decisions.slice(0, count)) {
      const shard = this.shards.find(({ view }) => view.name === decision.shard);
      if (shard === undefined) throw new Error(`a decision about no shard: ${decision.shard}`);
      if (shard.view.replicas.length === 0) this.#found(shard, decision.replicas);
      const { replicas, preferredLeader } = decision;
      shard.view = { ...shard.view, replicas, preferredLeader };
    }
    return decisions.length;
  }

  clusterView(): ClusterView {
    return {
      shards: this.shards.map(({ view }) => view),
      alive: new Set(this.alive),
      lost: new Set(this.lost),
      full: new Set(),
    };
  }

  /** Every leader tells, then takes one step, until nothing is left to do. @returns turns taken */
  settle(turnsMax: number): number {
    for (let turn = 0; turn < turnsMax; turn += 1) {
      let changes = 0;
      for (const shard of this.shards) {
        this.#commit(shard);
        for (const member of [...shard.voters, ...shard.learners]) this.#catchUp(shard, member);
        if (this.#takeStep(shard).kind !== 'done') changes += 1;
        if (this.#report(shard)) changes += 1;
      }
      changes += this.plan(Infinity);
      if (changes === 0) return turn;
    }
    return turnsMax;
  }

  #all(): readonly number[] {
    return Array.from({ length: this.servers }, (_, index) => index + 1);
  }

  #stopServer(): void {
    const alive = [...this.alive];
    const server = alive[this.random.below(Math.max(1, alive.length))];
    if (server !== undefined) this.alive.delete(server);
  }

  #loseServer(): void {
    const away = this.#all().filter((server) => !this.alive.has(server));
    const server = away[this.random.below(Math.max(1, away.length))];
    if (server !== undefined) this.lost.add(server);
  }

  #createShard(): void {
    const name = `s${this.shards.length}`;
    const wanted = 1 + this.random.below(5);
    this.shards.push({
      view: { name, wanted, replicas: [], preferredLeader: null, observed: null },
      voters: [],
      learners: [],
      progress: new Map(),
      committed: 0,
    });
  }

  #found(shard: SimulatedShard, founders: readonly number[]): void {
    shard.voters = [...founders];
    for (const server of founders) shard.progress.set(server, 0);
  }

  #workOn(shard: SimulatedShard | undefined): void {
    if (shard === undefined || shard.voters.length === 0) return;
    const work = this.random.below(4);
    if (work === 0) this.#commit(shard);
    if (work === 1) {
      const members = [...shard.voters, ...shard.learners];
      const member = members[this.random.below(members.length)];
      if (member !== undefined) this.#catchUp(shard, member);
    }
    if (work === 2) this.#takeStep(shard);
    if (work === 3) this.#report(shard);
  }

  /** An alive voter that has everything, while a majority is alive. */
  #leaderOf(shard: SimulatedShard): number | null {
    if (!this.#isMajority(shard.voters, (node) => this.alive.has(node))) return null;
    const able = shard.voters.filter((node) => this.alive.has(node) && this.#hasAll(shard, node));
    const { preferredLeader } = shard.view;
    if (preferredLeader !== null && able.includes(preferredLeader)) return preferredLeader;
    return able[0] ?? null;
  }

  /** A majority gets one more entry: the alive voters that have everything, and who else it takes. */
  #commit(shard: SimulatedShard): void {
    const leader = this.#leaderOf(shard);
    if (leader === null) return;
    shard.committed += 1;
    shard.progress.set(leader, shard.committed);
    for (const voter of shard.voters) {
      if (this.#isMajority(shard.voters, (node) => this.#hasAll(shard, node))) return;
      if (this.alive.has(voter)) shard.progress.set(voter, shard.committed);
    }
  }

  #catchUp(shard: SimulatedShard, member: number): void {
    if (this.#leaderOf(shard) === null || !this.alive.has(member)) return;
    shard.progress.set(member, shard.committed);
  }

  #takeStep(shard: SimulatedShard): MembershipStep {
    const self = this.#leaderOf(shard);
    if (self === null) return { kind: 'done' };
    const members = [...shard.voters, ...shard.learners];
    const caughtUp = members.filter((node) => this.alive.has(node) && this.#hasAll(shard, node));
    const { voters, learners } = shard;
    const group = { self, voters, learners, caughtUp: new Set(caughtUp) };
    const step = nextMembershipStep(group, shard.view.replicas);
    this.#carryOut(shard, step);
    return step;
  }

  #carryOut(shard: SimulatedShard, step: MembershipStep): void {
    if (step.kind === 'addLearners') shard.learners.push(...step.nodes);
    if (step.kind === 'removeLearners') {
      shard.learners = shard.learners.filter((node) => !step.nodes.includes(node));
      for (const node of step.nodes) shard.progress.delete(node);
    }
    if (step.kind === 'handOver') {
      // Whoever leads next is told by the order of the voters here.
      shard.voters = [step.to, ...shard.voters.filter((node) => node !== step.to)];
      shard.view = { ...shard.view, preferredLeader: step.to };
    }
    if (step.kind !== 'changeVoters') return;
    const { promote, remove } = step;
    shard.voters = [...shard.voters, ...promote].filter((node) => !remove.includes(node));
    shard.learners = shard.learners.filter((node) => !promote.includes(node));
    for (const node of remove) shard.progress.delete(node);
    this.#assertHealthy(shard, step);
  }

  #assertHealthy(shard: SimulatedShard, step: MembershipStep): void {
    const isHealthy = (node: number): boolean => this.alive.has(node) && this.#hasAll(shard, node);
    if (this.#isMajority(shard.voters, isHealthy)) return;
    const { name, replicas } = shard.view;
    throw new Error(
      `${name}: after ${JSON.stringify(step)} no majority of ${shard.voters.join()} is healthy; wanted ${replicas.join()}`,
    );
  }

  /** @returns whether that was news */
  #report(shard: SimulatedShard): boolean {
    if (this.#leaderOf(shard) === null) return false;
    const observed: ObservedMembers = {
      voters: [...shard.voters].toSorted((one, other) => one - other),
      learners: [...shard.learners],
    };
    const isNews = JSON.stringify(observed) !== JSON.stringify(shard.view.observed);
    shard.view = { ...shard.view, observed };
    return isNews;
  }

  #hasAll(shard: SimulatedShard, node: number): boolean {
    return shard.progress.get(node) === shard.committed;
  }

  #isMajority(voters: readonly number[], holds: (node: number) => boolean): boolean {
    return voters.filter(holds).length * 2 > voters.length;
  }
}
