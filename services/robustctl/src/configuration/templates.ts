import { annotatedFile } from '@robustmq/config';
import type { AnnotatedFileOptions } from '@robustmq/config';
import { journalServerSchema } from '@robustmq/journal-server/configuration';
import { brokerSchema } from '@robustmq/mqtt-broker';
import { placementCenterSchema } from '@robustmq/placement-center/configuration';

const HOW = [
  'Every key is shown with its default: a file needs to hold only what differs.',
  'An environment variable wins over the file. Unknown keys are refused.',
  'Sizes are integers in bytes or texts such as "64 MiB".',
];

/** The shipped files, by path: made from the schemas, so that they cannot differ from them. */
export const TEMPLATE_PATHS: readonly string[] = [
  'config/standalone.toml',
  'config/mqtt-server.toml',
  'config/placement-center.toml',
  'config/journal-server.toml',
  ...[1, 2, 3].map((node) => `config/cluster/placement-center/node-${String(node)}.toml`),
  ...[1, 2, 3].map((node) => `config/cluster/journal-server/node-${String(node)}.toml`),
  ...[1, 2, 3].map((node) => `config/cluster/mqtt-server/node-${String(node)}.toml`),
];

const PLACEMENT_CENTER = ['127.0.0.1:1228', '127.0.0.1:2228', '127.0.0.1:3228'];
const PLACEMENT_NODES = { 1: '127.0.0.1:1228', 2: '127.0.0.1:2228', 3: '127.0.0.1:3228' };

/** The text of one shipped file. */
export function templateOf(path: string): string {
  const node = Number(/node-(\d)\.toml$/.exec(path)?.[1] ?? 1);
  switch (path.replace(/\/node-\d\.toml$/, '')) {
    case 'config/standalone.toml':
      return annotatedFile(
        brokerSchema,
        whole('RobustMQ: one durable broker. Start it with `robustctl standalone start`.', {}),
      );
    case 'config/mqtt-server.toml':
      return annotatedFile(
        brokerSchema,
        whole('RobustMQ: an MQTT broker. Start it with `robustctl broker-mqtt start`.', {
          'storage.directory': 'data/mqtt-server',
        }),
      );
    case 'config/placement-center.toml':
      return annotatedFile(
        placementCenterSchema,
        whole(
          'RobustMQ: one member of the placement center. Start it with `robustctl placement-center start`.',
          {},
        ),
      );
    case 'config/journal-server.toml':
      return annotatedFile(
        journalServerSchema,
        whole('RobustMQ: one journal server. Start it with `robustctl journal-server start`.', {}),
      );
    case 'config/cluster/placement-center':
      return annotatedFile(placementCenterSchema, placementNode(node));
    case 'config/cluster/journal-server':
      return annotatedFile(journalServerSchema, journalNode(node));
    case 'config/cluster/mqtt-server':
      return annotatedFile(brokerSchema, brokerNode(node));
    default:
      throw new RangeError(`no shipped file is named ${path}`);
  }
}

function whole(title: string, overrides: AnnotatedFileOptions['overrides']): AnnotatedFileOptions {
  return { header: [title, ...HOW], overrides, keys: 'all' };
}

function placementNode(node: number): AnnotatedFileOptions {
  const title = `RobustMQ: node ${String(node)} of a placement center of three, all on one machine. All keys: config/placement-center.toml.`;
  return {
    header: [
      title,
      'Start all three with `robustctl placement-center start node-N.toml --daemon`.',
    ],
    keys: 'overridden',
    overrides: {
      cluster_name: 'robustmq',
      node_id: node,
      grpc_port: node * 1000 + 228,
      http_port: node * 1000 + 227,
      nodes: PLACEMENT_NODES,
      data_path: `data/placement-center-${String(node)}`,
    },
  };
}

function journalNode(node: number): AnnotatedFileOptions {
  const title = `RobustMQ: journal server ${String(node)} of three, all on one machine. All keys: config/journal-server.toml.`;
  return {
    header: [
      title,
      'Start all three with `robustctl journal-server start node-N.toml --daemon`, after the placement center.',
    ],
    keys: 'overridden',
    overrides: {
      cluster_name: 'robustmq',
      node_id: node,
      // Beside the ports of the placement center's members: 1228, 2228 and 3228.
      grpc_port: node * 1000 + 328,
      prometheus_port: node * 1000 + 327,
      placement_center: PLACEMENT_CENTER,
      data_path: [`data/journal-server-${String(node)}`],
    },
  };
}

function brokerNode(node: number): AnnotatedFileOptions {
  const shift = (node - 1) * 10_000;
  return {
    header: [
      `RobustMQ: broker ${String(node)} of three, all on one machine. All keys: config/mqtt-server.toml.`,
      'Start all three with `robustctl broker-mqtt start node-N.toml --daemon`, after the journal servers.',
    ],
    keys: 'overridden',
    overrides: {
      cluster_name: 'robustmq',
      broker_id: node,
      grpc_port: 9981 + shift,
      http_port: 9982 + shift,
      placement_center: PLACEMENT_CENTER,
      'network.tcp_port': 1883 + shift,
      'network.websocket_port': 8083 + shift,
      'storage.directory': `data/mqtt-server-${String(node)}`,
    },
  };
}
