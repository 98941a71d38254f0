/**
 * A whole cluster as real processes: three members of the placement center, three journal servers, three
 * brokers, or only those roles that a campaign is about. They run on the loopback interface, or on hosts that can be cut off.
 *
 *     together   three hosts, each with one process of every role
 *     apart      nine hosts, one process each
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BrokerAddress,
  type BrokerPlace,
  type FaultUnit,
  freePorts,
  type Hosts,
  ServiceProcess,
} from '@robustmq/campaign';
import { connect } from '@robustmq/mqtt-client';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const TOKEN = 'campaign-token';
const SIZE = 3;
/** Of every role. */
export const NODES: readonly number[] = [1, 2, 3];
const SERVING_POLL_MS = 50;

export type Layout = 'together' | 'apart';
export type Role = 'placement-center' | 'journal-server' | 'broker-mqtt';

export const ROLES: readonly Role[] = ['placement-center', 'journal-server', 'broker-mqtt'];
/** A cluster that keeps shards and has no brokers. */
export const JOURNAL_ROLES: readonly Role[] = ['placement-center', 'journal-server'];
/** Ports on hosts of their own; on the loopback interface each process gets free ones. */
const PORTS: Readonly<Record<Role, number>> = {
  'placement-center': 1228,
  'journal-server': 2228,
  'broker-mqtt': 9981,
};
const MQTT_PORT = 1883;

interface Seat {
  readonly role: Role;
  readonly nodeId: number;
  readonly host: number;
  readonly address: string;
  readonly port: number;
  readonly mqttPort: number;
}

export interface TestClusterOptions {
  readonly folder: string;
  readonly layout: Layout;
  /** Absent: all of them. */
  readonly roles?: readonly Role[];
  /** null: the loopback interface, where nothing can be cut. */
  readonly hosts: Hosts | null;
  /** Further lines of the configuration file of a role. */
  readonly sections?: Partial<Readonly<Record<Role, readonly string[]>>>;
  environmentOf(role: Role, nodeId: number): Readonly<Record<string, string>>;
  /** What node runs at its next start; absent: the command line as it is built here. */
  programOf?(role: Role, nodeId: number): string;
  /** In front of the program. */
  readonly nodeOptions?: readonly string[];
}

interface RunningSeat extends Seat {
  readonly process: ServiceProcess;
}

/** How many hosts a layout takes. */
export function hostsOf(layout: Layout, roles: readonly Role[] = ROLES): number {
  return layout === 'together' ? SIZE : SIZE * roles.length;
}

export class TestCluster implements BrokerPlace {
  /** The command line as it is built here. */
  static readonly presentProgram: string = MAIN;
  readonly patienceMs = 2000;
  readonly #seats: readonly RunningSeat[];
  readonly #layout: Layout;

  private constructor(seats: readonly RunningSeat[], layout: Layout) {
    this.#seats = seats;
    this.#layout = layout;
  }

  static async open(options: TestClusterOptions): Promise<TestCluster> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run make build`);
    const seats = await seatsFor(options);
    const running = seats.map((seat) => ({ ...seat, process: processOf(seat, seats, options) }));
    return new TestCluster(running, options.layout);
  }

  /** What fails together. */
  get units(): readonly FaultUnit[] {
    if (this.#layout === 'apart') {
      return this.#seats.map(({ role, nodeId, host, process }) => ({
        name: `${role} ${nodeId}`,
        host,
        processes: [process],
      }));
    }
    return NODES.map((number) => {
      const seats = this.#seats.filter(({ nodeId }) => nodeId === number);
      const processes = seats.map(({ process }) => process);
      return { name: `host ${number}`, host: seats[0]?.host ?? 0, processes };
    });
  }

  get brokers(): readonly (BrokerAddress & { readonly process: ServiceProcess })[] {
    return this.#ofRole('broker-mqtt').map(({ address, mqttPort, process }) => ({
      host: address,
      port: mqttPort,
      process,
    }));
  }

  get placementServers(): readonly string[] {
    return this.#serversOf('placement-center');
  }

  get journalServers(): readonly string[] {
    return this.#serversOf('journal-server');
  }

  get token(): string {
    return TOKEN;
  }

  get crashes(): number {
    return this.#seats.reduce((sum, { process }) => sum + process.crashes, 0);
  }

  processesOf(role: Role): readonly ServiceProcess[] {
    return this.#ofRole(role).map(({ process }) => process);
  }

  addressFor(clientId: string, attempt: number): BrokerAddress {
    const { brokers } = this;
    let sum = attempt;
    for (const character of clientId) sum += character.charCodeAt(0);
    const { host, port } = brokers[sum % brokers.length] as BrokerAddress;
    return { host, port };
  }

  startAll(): void {
    for (const { process } of this.#seats) process.start();
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#seats.map(({ process }) => process.kill()));
  }

  async endAll(): Promise<void> {
    for (const role of ROLES.toReversed()) {
      await Promise.all(this.processesOf(role).map((process) => process.end()));
    }
  }

  /** Waits until every broker acknowledges a durable message. @returns milliseconds from the call on */
  async serving(limitMs: number): Promise<number> {
    const beganMs = performance.now();
    for (const [index] of this.brokers.entries())
      await this.#brokerServes(index, beganMs + limitMs);
    return performance.now() - beganMs;
  }

  /** Waits until `unit`, which was started again, does its part. */
  async isBack(unit: FaultUnit, limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    for (const [index, { process }] of this.brokers.entries()) {
      if (unit.processes.includes(process)) await this.#brokerServes(index, endMs);
    }
    // One without a broker: all of those that have one go on.
    if (this.#layout === 'apart') await this.#brokerServes(0, endMs);
  }

  /** The end of what each process wrote; of so many characters. */
  lastWords(charactersMax = 1500): string {
    return this.#seats
      .map(
        ({ role, nodeId, process }) =>
          `${role} ${nodeId}:\n${process.output.slice(-charactersMax)}`,
      )
      .join('\n');
  }

  #serversOf(role: Role): readonly string[] {
    return this.#ofRole(role).map(({ address, port }) => `${address}:${port}`);
  }

  #ofRole(wanted: Role): readonly RunningSeat[] {
    return this.#seats.filter(({ role }) => role === wanted);
  }

  async #brokerServes(index: number, endMs: number): Promise<void> {
    const broker = this.brokers[index] as BrokerAddress;
    while (performance.now() < endMs) {
      if (await acknowledges(broker, `probe-${index}`)) return;
      await new Promise((resolve) => setTimeout(resolve, SERVING_POLL_MS));
    }
    throw new Error(`broker ${index + 1} does not serve\n${this.lastWords()}`);
  }
}

/** A durable subscriber gets a QoS 1 message that it publishes itself. */
async function acknowledges({ host, port }: BrokerAddress, clientId: string): Promise<boolean> {
  try {
    const client = await connect({
      ...{ host, port, clientId, timeoutMs: 2000 },
      cleanStart: true,
      properties: { sessionExpiryIntervalSeconds: 5 },
    });
    try {
      await client.subscribe([{ filter: `campaign-probe/${clientId}`, qos: 1 }]);
      await client.publish({
        topic: `campaign-probe/${clientId}`,
        payload: Buffer.from('x'),
        qos: 1,
      });
      return true;
    } finally {
      client.destroy();
    }
  } catch {
    return false;
  }
}

/** Where a process runs. */
export function folderOf(folder: string, role: Role, nodeId: number): string {
  return join(folder, `${role}-${nodeId}`);
}

/** Where a process keeps its data. */
export function dataOf(folder: string, role: Role, nodeId: number): string {
  return join(folderOf(folder, role, nodeId), 'data');
}

async function seatsFor(options: TestClusterOptions): Promise<readonly Seat[]> {
  const { layout, hosts, roles = ROLES } = options;
  const ports = await freePorts(hosts === null ? SIZE * (ROLES.length + 1) : 0);
  return roles.flatMap((role, roleIndex) =>
    Array.from({ length: SIZE }, (_, index): Seat => {
      const nodeId = index + 1;
      const host = layout === 'together' ? nodeId : roleIndex * SIZE + nodeId;
      if (hosts === null) {
        const port = ports[roleIndex * SIZE + index] ?? 0;
        const mqttPort = ports[ROLES.length * SIZE + index] ?? 0;
        return { role, nodeId, host: 0, address: '127.0.0.1', port, mqttPort };
      }
      const address = hosts.address(host);
      return { role, nodeId, host, address, port: PORTS[role], mqttPort: MQTT_PORT };
    }),
  );
}

function processOf(
  seat: Seat,
  seats: readonly Seat[],
  options: TestClusterOptions,
): ServiceProcess {
  const { role, nodeId, host } = seat;
  const folder = folderOf(options.folder, role, nodeId);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'node.toml');
  const lines = [...configurationOf(seat, seats, folder), ...(options.sections?.[role] ?? []), ''];
  writeFileSync(file, lines.join('\n'));
  const prefix = options.hosts?.wrap(host) ?? [];
  const { nodeOptions = [] } = options;
  return new ServiceProcess({
    get words() {
      const program = options.programOf?.(role, nodeId) ?? MAIN;
      return [...prefix, process.execPath, ...nodeOptions, program, role, 'start', file];
    },
    folder,
    environment: options.environmentOf(role, nodeId),
  });
}

function configurationOf(seat: Seat, seats: readonly Seat[], folder: string): readonly string[] {
  const { role, nodeId, address, port, mqttPort } = seat;
  const placement = seats.filter((each) => each.role === 'placement-center');
  const servers = placement.map((each) => `"${each.address}:${each.port}"`).join(', ');
  const members = placement.map((each) => `"${each.nodeId}" = "${each.address}:${each.port}"`);
  const common = ['cluster_name = "campaign"', `grpc_port = ${port}`];
  const token = `cluster_token = ${JSON.stringify(TOKEN)}`;
  const data = JSON.stringify(join(folder, 'data'));
  switch (role) {
    case 'placement-center':
      return [
        ...common,
        token,
        `node_id = ${nodeId}`,
        `addr = "${address}"`,
        'http_port = "off"',
        `nodes = { ${members.join(', ')} }`,
        `data_path = ${data}`,
      ];
    case 'journal-server':
      return [
        ...common,
        token,
        `node_id = ${nodeId}`,
        `addr = "${address}"`,
        'prometheus_port = "off"',
        `placement_center = [${servers}]`,
        `data_path = [${data}]`,
      ];
    case 'broker-mqtt':
      return [
        ...common,
        `broker_id = ${nodeId}`,
        'http_port = "off"',
        `placement_center = [${servers}]`,
        '[cluster]',
        token,
        `addr = "${address}"`,
        '[network]',
        `host = "${address}"`,
        `tcp_port = ${mqttPort}`,
        'websocket_port = "off"',
        '[auth]',
        'allow_anonymous_remote = true',
        '[system]',
        'warm_up_ms = 0',
      ];
  }
}
