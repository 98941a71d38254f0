import { Command } from 'commander';
import {
  addClusterFlags,
  addListFlags,
  type ClusterFlags,
  type ListFlags,
} from '../cluster/cluster-flags.ts';
import { EXIT_CODES_HELP } from '../exit-code.ts';

/** `robustctl cluster status|health|nodes|config`. */
export function clusterCommand(): Command {
  const command = group('cluster', 'the whole cluster: who belongs to it, and whether it is well');
  addClusterFlags(command.command('status'))
    .description('how many nodes and shards there are')
    .action(async (flags: ClusterFlags) => (await cluster()).runStatus(flags));
  addClusterFlags(command.command('health').alias('healthy'))
    .description('what is missing; exit code 0 when nothing is')
    .action(async (flags: ClusterFlags) => (await cluster()).runHealth(flags));
  addClusterFlags(command.command('nodes'))
    .description('every process that is registered, with its address')
    .action(async (flags: ClusterFlags) => (await cluster()).runNodes(flags));
  return command.addCommand(configCommand());
}

function configCommand(): Command {
  const config = group('config', 'settings of the whole cluster, kept by the placement center');
  addClusterFlags(config.command('list'))
    .description('what can be set for all brokers, and to what')
    .action(async (flags: ClusterFlags) => (await clusterConfig()).runConfigList(flags));
  addClusterFlags(config.command('get'))
    .description('print what is set, or one setting')
    .argument('[key]', 'its name, such as mqtt.maximum_qos')
    .action(async (name: string | undefined, flags: ClusterFlags) =>
      (await clusterConfig()).runConfigGet(name, flags),
    );
  addClusterFlags(config.command('set'))
    .description('set one for all brokers, at once and before what their files say')
    .argument('<key>', 'its name, such as mqtt.maximum_qos')
    .argument('<value>', 'as in a file, a text without quotes')
    .action(async (name: string, value: string, flags: ClusterFlags) =>
      (await clusterConfig()).runConfigSet(name, value, flags),
    );
  addClusterFlags(config.command('unset'))
    .description('each broker goes by its own file again')
    .argument('<key>', 'its name')
    .action(async (name: string, flags: ClusterFlags) =>
      (await clusterConfig()).runConfigUnset(name, flags),
    );
  return config;
}

function clusterConfig(): Promise<typeof import('../cluster/run-config.ts')> {
  return import('../cluster/run-config.ts');
}

/** `robustctl session list|show`. */
export function sessionCommand(): Command {
  const command = group('session', 'durable sessions of the whole cluster');
  addListFlags(command.command('list'))
    .description('all of them, and the broker that serves each')
    .action(async (flags: ListFlags) => (await lists()).runSessionList(flags));
  addClusterFlags(command.command('show'))
    .description('one session with its subscriptions')
    .argument('<client>', 'the client identifier')
    .action(async (client: string, flags: ClusterFlags) =>
      (await import('../cluster/run-session.ts')).runSessionShow(client, flags),
    );
  return command;
}

/** `robustctl subscription list`. */
export function subscriptionCommand(): Command {
  const command = group('subscription', 'what durable sessions are subscribed to').alias(
    'subscribes',
  );
  addListFlags(command.command('list'))
    .description('of one client, or of all')
    .argument('[client]', 'the client identifier')
    .action(async (client: string | undefined, flags: ListFlags) =>
      (await lists()).runSubscriptionList(client, flags),
    );
  return command;
}

/** `robustctl topic list`. */
export function topicCommand(): Command {
  const command = group('topic', 'topics that have a retained message');
  addListFlags(command.command('list'))
    .description('all of them, and the size of each message')
    .action(async (flags: ListFlags) =>
      (await import('../cluster/run-topics.ts')).runTopicList(flags),
    );
  return command;
}

/** `robustctl route list`. */
export function routeCommand(): Command {
  const command = group('route', 'which brokers have an online subscriber for a filter');
  addListFlags(command.command('list'))
    .description('all of them')
    .action(async (flags: ListFlags) => (await lists()).runRouteList(flags));
  return command;
}

function group(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption('--help', 'show this help')
    .addHelpText('after', EXIT_CODES_HELP);
}

function cluster(): Promise<typeof import('../cluster/run-cluster.ts')> {
  return import('../cluster/run-cluster.ts');
}

function lists(): Promise<typeof import('../cluster/run-lists.ts')> {
  return import('../cluster/run-lists.ts');
}
