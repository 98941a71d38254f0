/** One member of the placement center as its own process: what campaigns kill, stop and cut off. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../robustctl/dist/main.js', import.meta.url));
const OUTPUT_CHARACTERS_MAX = 64 * 1024;
const STOP_LIMIT_MS = 15_000;

export interface MemberOptions {
  readonly nodeId: number;
  readonly folder: string;
  /** Where it listens; other members and clients find it there. */
  readonly address: { readonly host: string; readonly port: number };
  /** `"1" = "host:port", …` of the founders. */
  readonly nodes: string;
  readonly token: string;
  /** Further lines of the configuration file, after its top level. */
  readonly sections: readonly string[];
  /** Words in front of the command, such as those that choose a host. */
  readonly prefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export class MemberProcess {
  readonly options: MemberOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #expectsExit = true;
  #output = '';
  /** Ends that nobody asked for. */
  crashes = 0;
  isStopped = false;

  constructor(options: MemberOptions) {
    this.options = options;
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run make build`);
    mkdirSync(options.folder, { recursive: true });
    writeFileSync(this.#configuration, configurationText(options));
  }

  get dataFolder(): string {
    return join(this.options.folder, 'data');
  }

  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** null while it is not running. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get server(): string {
    const { host, port } = this.options.address;
    return `${host}:${port}`;
  }

  get #configuration(): string {
    return join(this.options.folder, 'node.toml');
  }

  /** Starts the process; whether it serves is for a client to find out. */
  start(): void {
    if (this.#child !== null) return;
    const command = [process.execPath, MAIN, 'placement-center', 'start', this.#configuration];
    const [program = '', ...words] = [...this.options.prefix, ...command];
    const child = spawn(program, words, {
      cwd: this.options.folder,
      env: { PATH: process.env['PATH'] ?? '', ...this.options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const killChild = (): void => {
      child.kill('SIGKILL');
    };
    // It must not outlive a campaign that breaks off.
    process.once('exit', killChild);
    const hear = (chunk: Buffer): void => {
      this.#output = (this.#output + String(chunk)).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    this.#expectsExit = false;
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('close', () => {
        process.removeListener('exit', killChild);
        this.#child = null;
        if (!this.#expectsExit) this.crashes += 1;
        resolve();
      });
    });
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#expectsExit = true;
    this.#child?.kill('SIGKILL');
    this.isStopped = false;
    await this.#exited;
  }

  /** Asks it to end; kills it when it does not. @returns whether it obeyed */
  async end(): Promise<boolean> {
    this.#expectsExit = true;
    this.#child?.kill('SIGTERM');
    let obeyed = true;
    const limit = setTimeout(() => {
      obeyed = false;
      this.#child?.kill('SIGKILL');
    }, STOP_LIMIT_MS);
    await this.#exited;
    clearTimeout(limit);
    return obeyed;
  }

  /** It keeps its sockets and does nothing, as on a machine that hangs. */
  stop(): void {
    this.#child?.kill('SIGSTOP');
    this.isStopped = true;
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
    this.isStopped = false;
  }
}

function configurationText({
  nodeId,
  folder,
  address,
  nodes,
  token,
  sections,
}: MemberOptions): string {
  return [
    'cluster_name = "campaign"',
    `node_id = ${nodeId}`,
    `addr = ${JSON.stringify(address.host)}`,
    `grpc_port = ${address.port}`,
    'http_port = "off"',
    `nodes = { ${nodes} }`,
    `cluster_token = ${JSON.stringify(token)}`,
    `data_path = ${JSON.stringify(join(folder, 'data'))}`,
    ...sections,
    '',
  ].join('\n');
}
