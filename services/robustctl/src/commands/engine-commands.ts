import { Command, Option } from 'commander';
import {
  addClusterFlags,
  addListFlags,
  type ClusterFlags,
  type ListFlags,
} from '../cluster/cluster-flags.ts';
import {
  addRetentionFlags,
  type CreateFlags,
  type MoveFlags,
  type RecordFlags,
  type RetentionFlags,
} from '../engine/engine-flags.ts';
import { CommandError, ExitCode, EXIT_CODES_HELP } from '../exit-code.ts';
import { wholeNumber } from '../mqtt/client-flags.ts';

const OFFSET_MAX = Number.MAX_SAFE_INTEGER;
const SHARD = 'NAME or NAMESPACE/NAME; without a namespace one of the brokers (mqtt)';

/** The commands of `journal-server` beside start, stop and status. */
export function addEngineCommands(engine: Command): void {
  engine.addCommand(shardCommand());
  engine.addCommand(segmentCommand());
  engine.addCommand(offsetCommand());
  addRecordCommands(engine);
}

function shardCommand(): Command {
  const command = group('shard', 'the shards of the journal: what they are, and where');
  cluster(command, 'list', 'every shard, where it is, and how it stands', addListFlags)
    .argument('[namespace]', 'only those of this namespace')
    .action(async (namespace: string | undefined, flags: ListFlags) =>
      (await shards()).runShardList(namespace, flags),
    );
  const create = cluster(command, 'create', 'ask for a shard; the placement center places it')
    .argument('<shard>', SHARD)
    .addOption(
      new Option('--kind <kind>', 'a sequence of messages, or the last record per key')
        .choices(['messages', 'keyed'])
        .default('messages'),
    )
    .option('--replicas <number>', 'on how many servers', wholeNumber(1, 9), 3);
  addRetentionFlags(create).action(async (shard: string, flags: CreateFlags) =>
    (await shards()).runShardCreate(shard, flags),
  );
  cluster(command, 'delete', 'delete a shard with all its records')
    .argument('<shard>', SHARD)
    .option('--yes', 'really')
    .action(async (shard: string, flags: ClusterFlags & { readonly yes?: true }) =>
      (await shards()).runShardDelete(shard, flags),
    );
  cluster(command, 'move', 'move a replica to another server, or the leadership, or both')
    .argument('<shard>', SHARD)
    .option('--from <node>', 'the server that gives its replica up', wholeNumber(1, 65_535))
    .option('--to <node>', 'the server that gets it', wholeNumber(1, 65_535))
    .option('--leader <node>', 'who should lead from now on', wholeNumber(1, 65_535))
    .option('--wait', 'return once it is done; --timeout says how long that may take')
    .action(async (shard: string, flags: MoveFlags) => (await shards()).runShardMove(shard, flags));
  cluster(command, 'rebuild', 'delete a replica and make it anew from the others')
    .argument('<shard>', SHARD)
    .requiredOption('--on <node>', 'the server whose replica is damaged', wholeNumber(1, 65_535))
    .action(async (shard: string, flags: ClusterFlags & { readonly on: number }) =>
      (await shards()).runShardRebuild(shard, flags),
    );
  const retain = cluster(command, 'retain', 'change what a shard keeps').argument('<shard>', SHARD);
  addRetentionFlags(retain).action(async (shard: string, flags: ClusterFlags & RetentionFlags) =>
    (await shards()).runShardRetain(shard, flags),
  );
  return command;
}

function offsetCommand(): Command {
  const command = group('offset', 'places in shards: of times, and of consumer groups');
  cluster(command, 'by-timestamp', 'the first record appended at a time or later')
    .argument('<shard>', SHARD)
    .argument('<time>', 'milliseconds since 1970, or such as 2026-01-31T12:00:00Z')
    .action(async (shard: string, time: string, flags: ClusterFlags) =>
      (await offsets()).runOffsetByTimestamp(shard, time, flags),
    );
  cluster(command, 'by-group', 'where a consumer group goes on')
    .argument('<group>', 'its name')
    .argument('[shard]', SHARD)
    .action(async (name: string, shard: string | undefined, flags: ClusterFlags) =>
      (await offsets()).runOffsetByGroup(name, shard, flags),
    );
  cluster(command, 'commit', 'say where a consumer group goes on')
    .argument('<group>', 'its name')
    .argument('<shard>', SHARD)
    .argument('<offset>', 'the first record that it has not consumed', wholeNumber(0, OFFSET_MAX))
    .action(async (name: string, shard: string, offset: number, flags: ClusterFlags) =>
      (await offsets()).runOffsetCommit(name, { shard, offset }, flags),
    );
  return command;
}

function segmentCommand(): Command {
  const command = group('segment', 'the files of shards');
  cluster(command, 'list', 'of a stopped server with --data, else as registered', addListFlags)
    .argument('[shard]', `${SHARD}; with --data a group, or all`)
    .addOption(dataOption())
    .action(async (shard: string | undefined, flags: ListFlags & RecordFlags) => {
      if (flags.data === undefined) {
        const { runSegmentList } = await import('../engine/run-segments.ts');
        return runSegmentList(shard, flags);
      }
      const { runStoredSegments } = await import('../engine/run-stored-verify.ts');
      return runStoredSegments(flags.data, shard, flags);
    });
  return command;
}

function addRecordCommands(engine: Command): void {
  records(engine, 'dump', 'print the records of a shard, one a line')
    .option('--limit <number>', 'at most so many (0: all)', wholeNumber(0, OFFSET_MAX), 100)
    .action(async (shard: string | undefined, flags: RecordFlags) => {
      if (flags.data === undefined) {
        return (await import('../engine/run-dump.ts')).runDump(named(shard), flags);
      }
      const { runStoredDump } = await import('../engine/run-stored-dump.ts');
      return runStoredDump(flags.data, shard, flags);
    });
  records(engine, 'verify', 'read everything once and check it; exit code 1 on damage').action(
    async (shard: string | undefined, flags: RecordFlags) => {
      if (flags.data === undefined) {
        return (await import('../engine/run-verify.ts')).runVerify(named(shard), flags);
      }
      const { runStoredVerify } = await import('../engine/run-stored-verify.ts');
      return runStoredVerify(flags.data, shard, flags);
    },
  );
}

function records(engine: Command, name: string, description: string): Command {
  return cluster(engine, name, description)
    .argument('[shard]', `${SHARD}; with --data a group id`)
    .addOption(dataOption())
    .option('--from <offset>', 'begin with this record', wholeNumber(0, OFFSET_MAX), 0);
}

function dataOption(): Option {
  return new Option('--data <directory>', 'the data_path of a journal server that does not run');
}

function named(shard: string | undefined): string {
  if (shard !== undefined) return shard;
  throw new CommandError(ExitCode.usage, 'name a shard, or with --data a directory');
}

function group(name: string, description: string): Command {
  return new Command(name).description(description).helpOption('--help', 'show this help');
}

function cluster(
  parent: Command,
  name: string,
  description: string,
  add: (command: Command) => Command = addClusterFlags,
): Command {
  const example = EXAMPLES[`${parent.name()} ${name}`] ?? EXAMPLES[name] ?? '';
  return add(parent.command(name))
    .description(description)
    .addHelpText('after', `\nExample:\n  ${example}${EXIT_CODES_HELP}`);
}

const EXAMPLES: Readonly<Record<string, string>> = {
  'shard list': 'robustctl engine shard list -s 10.0.0.1:1228',
  'shard create': 'robustctl engine shard create app/orders --replicas 3 --max-bytes "10 GiB"',
  'shard delete': 'robustctl engine shard delete app/orders --yes',
  'shard move': 'robustctl engine shard move mqtt-0 --from 1 --to 4 --wait --timeout 600',
  'shard rebuild': 'robustctl engine shard rebuild mqtt-0 --on 2',
  'shard retain': 'robustctl engine shard retain app/orders --max-age-seconds 86400',
  'segment list': 'robustctl engine segment list --data data/journal-server-1',
  'offset by-timestamp': 'robustctl engine offset by-timestamp mqtt-0 2026-01-31T12:00:00Z',
  'offset by-group': 'robustctl engine offset by-group billing',
  'offset commit': 'robustctl engine offset commit billing mqtt-0 12000',
  dump: 'robustctl engine dump mqtt-0 --from 1000 --limit 20',
  verify: 'robustctl engine verify --data data/journal-server-1',
};

function shards(): Promise<typeof import('../engine/run-shards.ts')> {
  return import('../engine/run-shards.ts');
}

function offsets(): Promise<typeof import('../engine/run-offsets.ts')> {
  return import('../engine/run-offsets.ts');
}
