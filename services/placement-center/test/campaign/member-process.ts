/** One member of the placement center as its own process: what campaigns kill, stop and cut off. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceProcess } from '@robustmq/campaign';

const MAIN = fileURLToPath(new URL('../../../robustctl/dist/main.js', import.meta.url));

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
  readonly process: ServiceProcess;

  constructor(options: MemberOptions) {
    this.options = options;
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run make build`);
    mkdirSync(options.folder, { recursive: true });
    const file = join(options.folder, 'node.toml');
    writeFileSync(file, configurationText(options));
    const { folder, environment, prefix } = options;
    const words = [...prefix, process.execPath, MAIN, 'placement-center', 'start', file];
    this.process = new ServiceProcess({ words, folder, environment });
  }

  get dataFolder(): string {
    return join(this.options.folder, 'data');
  }

  get server(): string {
    const { host, port } = this.options.address;
    return `${host}:${port}`;
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
