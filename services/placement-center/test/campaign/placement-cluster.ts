/** Three members, on hosts of their own or on the loopback interface, and how to reach them. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type FaultUnit, freePorts, type Hosts } from '@robustmq/campaign';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import { type MemberOptions, MemberProcess } from './member-process.ts';

const TOKEN = 'campaign-token';
const HOST_PORT = 1228;

export interface ClusterOptions {
  readonly folder: string;
  readonly members: number;
  /** null: on the loopback interface, where nothing can be cut. */
  readonly hosts: Hosts | null;
  readonly sections: readonly string[];
  environmentOf(nodeId: number): Readonly<Record<string, string>>;
}

export class PlacementCluster {
  readonly members: readonly MemberProcess[];

  private constructor(members: readonly MemberProcess[]) {
    this.members = members;
  }

  static async open(options: ClusterOptions): Promise<PlacementCluster> {
    const { hosts } = options;
    const numbers = Array.from({ length: options.members }, (_, index) => index + 1);
    const ports = await freePorts(options.members);
    const addressOf = (nodeId: number): MemberOptions['address'] =>
      hosts === null
        ? { host: '127.0.0.1', port: ports[nodeId - 1] ?? 0 }
        : { host: hosts.address(nodeId), port: HOST_PORT };
    const nodes = numbers.map((nodeId) => {
      const { host, port } = addressOf(nodeId);
      return `"${nodeId}" = "${host}:${port}"`;
    });
    const members = numbers.map(
      (nodeId) =>
        new MemberProcess({
          ...{ nodeId, address: addressOf(nodeId), nodes: nodes.join(', '), token: TOKEN },
          ...{ sections: options.sections, environment: options.environmentOf(nodeId) },
          folder: join(options.folder, `m${nodeId}`),
          prefix: hosts?.wrap(nodeId) ?? [],
        }),
    );
    return new PlacementCluster(members);
  }

  get token(): string {
    return TOKEN;
  }

  get servers(): readonly string[] {
    return this.members.map((member) => member.server);
  }

  get crashes(): number {
    return this.members.reduce((sum, member) => sum + member.process.crashes, 0);
  }

  member(nodeId: number): MemberProcess {
    const member = this.members[nodeId - 1];
    if (member === undefined) throw new Error(`there is no member ${nodeId}`);
    return member;
  }

  /** What fails together, for a storm of faults. */
  get units(): readonly FaultUnit[] {
    return this.members.map(({ options, process }) => ({
      name: `member ${options.nodeId}`,
      host: options.nodeId,
      processes: [process],
    }));
  }

  startAll(): void {
    for (const member of this.members) member.process.start();
  }

  async killAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.process.kill()));
  }

  connect(): Placement {
    return this.#connectTo(this.servers);
  }

  /** For reads that this member may answer by itself. */
  connectTo(member: MemberProcess): Placement {
    return this.#connectTo([member.server]);
  }

  #connectTo(servers: readonly string[]): Placement {
    return connectPlacement({
      ...{ servers, token: TOKEN, tls: null, limits: null },
      ...{ clock: systemClock, timers: systemTimers, random: systemRandom },
    });
  }

  /** Waits until a write is acknowledged. @returns milliseconds from the call on */
  async serving(limitMs: number): Promise<number> {
    const beganMs = performance.now();
    const placement = this.connect();
    try {
      for (;;) {
        const spentMs = performance.now() - beganMs;
        if (spentMs > limitMs)
          throw new Error(`no write within ${limitMs} ms\n${this.lastWords()}`);
        const done = await putOnce(placement, 'campaign/probe', String(spentMs)).then(
          () => true,
          () => false,
        );
        if (done) return performance.now() - beganMs;
      }
    } finally {
      await placement.close();
    }
  }

  /** Waits until the member itself shows a write that is acknowledged now. */
  async inStep(member: MemberProcess, limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    const key = `campaign/step-${member.options.nodeId}`;
    const text = String(performance.now());
    const writer = this.connect();
    const reader = this.connectTo(member);
    try {
      await repeatUntil(endMs, () => putOnce(writer, key, text).then(() => true));
      await repeatUntil(endMs, async () => (await ownValue(reader, key)) === text);
    } catch (cause) {
      throw new Error(`member ${member.options.nodeId} is not in step\n${this.lastWords()}`, {
        cause,
      });
    } finally {
      await Promise.all([writer.close(), reader.close()]);
    }
  }

  lastWords(): string {
    const parts = this.members.map(
      ({ options, process }) => `member ${options.nodeId}:\n${process.output.slice(-2000)}`,
    );
    return parts.join('\n');
  }
}

function putOnce(placement: Placement, key: string, text: string): Promise<unknown> {
  return placement.transact(
    {
      compare: [],
      then: [{ kind: 'put', key, value: new TextEncoder().encode(text), lease: null }],
      otherwise: [],
      requestId: null,
    },
    { deadlineMs: 1000, signal: null },
  );
}

/** What the member that is asked holds, however old. */
async function ownValue(placement: Placement, key: string): Promise<string> {
  const { keyValues } = await placement.range(
    {
      ...{ range: { first: key, after: `${key}\0` }, limit: 1 },
      ...({ content: 'whole', consistency: 'serializable' } as const),
    },
    { deadlineMs: 1000, signal: null },
  );
  return new TextDecoder().decode(keyValues[0]?.value ?? new Uint8Array());
}

/** Tries until it says yes; failures count as no. */
async function repeatUntil(endMs: number, attempt: () => Promise<boolean>): Promise<void> {
  while (performance.now() < endMs) {
    if (await attempt().catch(() => false)) return;
    await pause(20);
  }
  throw new Error('the time is over');
}
