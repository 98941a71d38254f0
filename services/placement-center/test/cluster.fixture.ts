/** Members of a placement center as processes of their own, on free ports of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { CallOptions, Placement, Transaction } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import { type cluster, clusterService, defaultChannelLimits, openChannel } from '@robustmq/rpc';

const ROBUSTCTL = fileURLToPath(new URL('../../robustctl/src/main.ts', import.meta.url));

export const SOON: CallOptions = { deadlineMs: 20_000, signal: null };

export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A member that was started. */
export interface MemberProcess {
  readonly id: number;
  readonly child: ChildProcess;
  /** Everything it has said so far. */
  said(): string;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
}

export class ProcessCluster {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'placement-center-'));
  readonly members: Map<number, MemberProcess> = new Map<number, MemberProcess>();
  readonly #ports = new Map<number, Promise<number>>();
  readonly #placements: Placement[] = [];

  async addressOf(id: number): Promise<string> {
    const port = this.#ports.get(id) ?? freePort();
    this.#ports.set(id, port);
    return `127.0.0.1:${String(await port)}`;
  }

  async addressesOf(ids: readonly number[]): Promise<readonly string[]> {
    return Promise.all(ids.map((id) => this.addressOf(id)));
  }

  /** Writes a member's file. @param more  keys that differ, as lines of TOML */
  async configure(id: number, nodes: readonly number[], more: readonly string[]): Promise<string> {
    const entries = await Promise.all(
      nodes.map(async (node) => `${String(node)} = "${await this.addressOf(node)}"`),
    );
    const address = await this.addressOf(id);
    const keys = new Map([
      ['cluster_name', '"test"'],
      ['node_id', String(id)],
      ['grpc_port', address.slice(address.lastIndexOf(':') + 1)],
      ['http_port', '"off"'],
      ['nodes', `{ ${entries.join(', ')} }`],
      ['data_path', `"data-${String(id)}"`],
    ]);
    const sections: string[] = [];
    for (const line of more) {
      const [, key, value] = /^(\w+) = (.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined) sections.push(line);
      else keys.set(key, value);
    }
    const top = [...keys].map(([key, value]) => `${key} = ${value}`);
    const file = join(this.directory, `node-${String(id)}.toml`);
    writeFileSync(file, [...top, ...sections, ''].join('\n'));
    return file;
  }

  /** Starts a member as its file says; does not wait. */
  launch(id: number): MemberProcess {
    const child = spawn(
      process.execPath,
      ['--conditions=source', ROBUSTCTL, 'place', 'start', `node-${String(id)}.toml`],
      {
        cwd: this.directory,
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    }
    const ended = new Promise<number | null>((resolve) => {
      child.on('close', (code) => resolve(code));
    });
    const member = { id, child, said: () => text, ended };
    this.members.set(id, member);
    return member;
  }

  /** Configures, starts and waits until it serves. */
  async start(
    id: number,
    nodes: readonly number[],
    more: readonly string[],
  ): Promise<MemberProcess> {
    await this.configure(id, nodes, more);
    const member = this.launch(id);
    await this.isReady(member);
    return member;
  }

  async isReady(member: MemberProcess): Promise<void> {
    await until(async () => {
      if (member.child.exitCode !== null) throw new Error(`ended: ${member.said()}`);
      return member.said().includes('is ready') ? true : null;
    });
  }

  /** A cluster of these members, started together. */
  async found(ids: readonly number[], more: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.start(id, ids, more)));
    await this.leader();
  }

  async kill(id: number): Promise<void> {
    const member = this.members.get(id);
    this.members.delete(id);
    member?.child.kill('SIGKILL');
    await member?.ended;
  }

  /** @returns the exit code */
  async stop(id: number): Promise<number | null> {
    const member = this.members.get(id);
    this.members.delete(id);
    member?.child.kill('SIGTERM');
    return (await member?.ended) ?? null;
  }

  /** Forgets what a member has stored. */
  wipe(id: number): void {
    rmSync(join(this.directory, `data-${String(id)}`), { recursive: true, force: true });
  }

  /** The number of the member that leads, as a majority of those that run sees it. */
  async leader(): Promise<number> {
    return until(async () => {
      const replies = await Promise.all([...this.members.keys()].map((id) => this.tryStatus(id)));
      const known = replies.filter((reply) => reply !== null);
      const leading = known.find(({ role }) => role === 'leader');
      if (leading === undefined) return null;
      const agreeing = known.filter(({ leaderId }) => leaderId === leading.nodeId);
      return agreeing.length * 2 > known.length ? leading.nodeId : null;
    });
  }

  async status(id: number): Promise<cluster.StatusReply> {
    const channel = openChannel({
      address: await this.addressOf(id),
      tls: null,
      token: null,
      limits: defaultChannelLimits,
    });
    try {
      return await channel.clientOf(clusterService).status({}, { deadlineMs: 2000, signal: null });
    } finally {
      channel.close();
    }
  }

  async tryStatus(id: number): Promise<cluster.StatusReply | null> {
    return this.status(id).catch(() => null);
  }

  async connect(ids: readonly number[]): Promise<Placement> {
    const placement = connectPlacement({
      servers: await this.addressesOf(ids),
      tls: null,
      token: null,
      limits: null,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    });
    this.#placements.push(placement);
    return placement;
  }

  /** Runs one command line. */
  run(words: readonly string[]): Promise<Outcome> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, ['--conditions=source', ROBUSTCTL, ...words], {
        cwd: this.directory,
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      let errors = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      child.on('close', (exitCode) => resolve({ exitCode, output, errors }));
    });
  }

  /** Runs `robustctl place …` or `kv …` against the members. @returns its output; fails with its errors */
  async ask(words: readonly string[], ids: readonly number[]): Promise<string> {
    const servers = (await this.addressesOf(ids)).join(',');
    const { exitCode, output, errors } = await this.run([...words, '-s', servers]);
    if (exitCode !== 0) throw new Error(`${words.join(' ')}: ${String(exitCode)}: ${errors}`);
    return output;
  }

  async close(): Promise<void> {
    await Promise.all(this.#placements.map((placement) => placement.close()));
    await Promise.all([...this.members.keys()].map((id) => this.kill(id)));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Looks again until there is a value; the test's own timeout is the limit. */
export async function until<Value>(look: () => Promise<Value | null>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== null) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}

export function put(key: string, text: string): Transaction {
  const value = new TextEncoder().encode(text);
  return {
    compare: [],
    then: [{ kind: 'put', key, value, lease: null }],
    otherwise: [],
    requestId: null,
  };
}

export async function textAt(placement: Placement, key: string): Promise<string | null> {
  const request = {
    range: { first: key, after: `${key}\0` },
    limit: 1,
    content: 'whole',
    consistency: 'linearizable',
  } as const;
  const [found] = (await placement.range(request, SOON)).keyValues;
  return found === undefined ? null : new TextDecoder().decode(found.value);
}
