/**
 * Nine containers of the image that deploy/docker/build-image makes, on a network of their own, and a load
 * balancer in front of the brokers. Nothing is pulled: the image is local, and there is no reaper.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StartedNetwork, StartedTestContainer } from 'testcontainers';

// The reaper is an image that would have to be pulled; testcontainers reads this when it is loaded.
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const IMAGE = 'robustmq:local';
const CONFIGURATIONS = `${ROOT}deploy/docker/cluster/`;
const TOKEN = 'container-token';
const SIZE = 3;
const START_LIMIT_MS = 120_000;
const LABEL = { 'robustmq-test': 'cluster' };

type Role = 'placement' | 'journal' | 'broker';

const COMPONENTS: Readonly<Record<Role, { readonly component: string; readonly file: string }>> = {
  placement: { component: 'placement-center', file: 'placement-center.toml' },
  journal: { component: 'journal-server', file: 'journal-server.toml' },
  broker: { component: 'broker-mqtt', file: 'broker.toml' },
};

/** Why there can be no containers here; null when there can. */
export function whyNoContainers(): string | null {
  const info = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (info.error !== undefined) return 'the program docker is missing (Debian: docker.io)';
  if (info.status !== 0) return `no Docker daemon answers: ${info.stderr.trim().split('\n')[0]}`;
  return null;
}

/** Makes the image from what is built. @throws with what the build said */
export function buildImage(): void {
  const build = spawnSync(`${ROOT}deploy/docker/build-image`, { cwd: ROOT, encoding: 'utf8' });
  if (build.status !== 0)
    throw new Error(`building the image failed:\n${build.stdout}${build.stderr}`);
}

/** Removes what an earlier run that was broken off has left. */
export function sweep(): void {
  const [[name, value] = ['', '']] = Object.entries(LABEL);
  const list = ['ps', '--all', '--quiet', '--filter', `label=${name}=${value}`];
  const { stdout } = spawnSync('docker', list, { encoding: 'utf8' });
  const left = stdout.split('\n').filter((id) => id !== '');
  if (left.length > 0) spawnSync('docker', ['rm', '--force', ...left]);
}

export class ContainerCluster {
  readonly #network: StartedNetwork;
  readonly #containers = new Map<string, StartedTestContainer>();

  private constructor(network: StartedNetwork) {
    this.#network = network;
  }

  static async open(): Promise<ContainerCluster> {
    const { Network } = await import('testcontainers');
    const cluster = new ContainerCluster(await new Network().start());
    try {
      for (const role of ['placement', 'journal', 'broker'] as const) {
        const numbers = Array.from({ length: SIZE }, (_, index) => index + 1);
        await Promise.all(numbers.map((number) => cluster.#start(role, number)));
      }
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  get token(): string {
    return TOKEN;
  }

  /** Where a container is reached from this machine and from the others. */
  addressOf(name: string): string {
    return this.#container(name).getIpAddress(this.#network.getName());
  }

  /** Nobody reaches it any more, and it reaches nobody. */
  async cutOff(name: string): Promise<void> {
    const network = await this.#dockerNetwork();
    await network.disconnect({ Container: this.#container(name).getId(), Force: true });
  }

  /** The end of `cutOff`. While no other one joins, it gets the address that it had. */
  async join(name: string): Promise<void> {
    const network = await this.#dockerNetwork();
    await network.connect({
      Container: this.#container(name).getId(),
      EndpointConfig: { Aliases: [name] },
    });
  }

  /** As `kill -9` of its process, and a start after `downMs`. */
  async killAndStart(name: string, downMs: number): Promise<void> {
    const container = await this.#dockerContainer(name);
    await container.kill({ signal: 'SIGKILL' });
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await container.start();
  }

  /** It hangs for a while: its sockets stay. */
  async hang(name: string, forMs: number): Promise<void> {
    const container = await this.#dockerContainer(name);
    await container.pause();
    await new Promise((resolve) => setTimeout(resolve, forMs));
    await container.unpause();
  }

  /** What each container wrote last. */
  lastWords(): string {
    return [...this.#containers]
      .map(([name, container]) => {
        const words = ['logs', '--tail', '15', container.getId()];
        const { stdout, stderr } = spawnSync('docker', words, { encoding: 'utf8' });
        return `${name}:\n${stdout}${stderr}`;
      })
      .join('\n');
  }

  async close(): Promise<void> {
    const containers = [...this.#containers.values()];
    await Promise.all(
      containers.map((container) => container.stop({ timeout: 0 }).catch(() => {})),
    );
    await this.#network.stop().catch(() => {});
  }

  async #start(role: Role, number: number): Promise<void> {
    const { GenericContainer, Wait } = await import('testcontainers');
    const { component, file } = COMPONENTS[role];
    const name = `${role}-${number}`;
    const content = readFileSync(`${CONFIGURATIONS}${file}`, 'utf8');
    const container = await new GenericContainer(IMAGE)
      .withCommand([component, 'start', '/etc/robustmq/node.toml'])
      .withCopyContentToContainer([{ content, target: '/etc/robustmq/node.toml', mode: 0o444 }])
      .withEnvironment(environmentOf(role, number))
      .withLabels(LABEL)
      .withNetwork(this.#network)
      .withNetworkAliases(name)
      .withStartupTimeout(START_LIMIT_MS)
      // A shell for a look at the ports is what the image does not have.
      .withWaitStrategy(Wait.forLogMessage(/is ready/))
      .start();
    this.#containers.set(name, container);
  }

  #container(name: string): StartedTestContainer {
    const container = this.#containers.get(name);
    if (container === undefined) throw new Error(`there is no container ${name}`);
    return container;
  }

  async #dockerNetwork() {
    const { getContainerRuntimeClient } = await import('testcontainers');
    const client = await getContainerRuntimeClient();
    return client.container.dockerode.getNetwork(this.#network.getId());
  }

  async #dockerContainer(name: string) {
    const { getContainerRuntimeClient } = await import('testcontainers');
    const client = await getContainerRuntimeClient();
    return client.container.dockerode.getContainer(this.#container(name).getId());
  }
}

function environmentOf(role: Role, number: number): Record<string, string> {
  if (role === 'broker') {
    return {
      ROBUST_MQ_SERVER_BROKER_ID: String(number),
      ROBUST_MQ_SERVER_CLUSTER_BROKER_IP: `${role}-${number}`,
      ROBUST_MQ_SERVER_CLUSTER_CLUSTER_TOKEN: TOKEN,
    };
  }
  return {
    ROBUST_MQ_SERVER_NODE_ID: String(number),
    ROBUST_MQ_SERVER_CLUSTER_TOKEN: TOKEN,
  };
}
