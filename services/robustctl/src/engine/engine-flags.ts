import { parseBytes } from '@robustmq/config';
import {
  BROKER_NAMESPACE,
  KEEP_UNTIL_RELEASED,
  type ShardName,
  type ShardRetention,
} from '@robustmq/placement-registry';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ClusterFlags } from '../cluster/cluster-flags.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { wholeNumber } from '../mqtt/client-flags.ts';

/** What a shard keeps, as flags. */
export interface RetentionFlags {
  readonly maxAgeSeconds?: number;
  readonly maxBytes?: number;
  readonly whenFull: ShardRetention['whenFull'];
}

/** Of `shard create`. */
export interface CreateFlags extends ClusterFlags, RetentionFlags {
  readonly kind: 'messages' | 'keyed';
  readonly replicas: number;
}

/** Of `shard move`. */
export interface MoveFlags extends ClusterFlags {
  readonly from?: number;
  readonly to?: number;
  readonly leader?: number;
  readonly wait?: true;
}

/** Of what reads records: from a running cluster, or with `--data` from a directory. */
export interface RecordFlags extends ClusterFlags {
  readonly data?: string;
  readonly from: number;
  readonly limit: number;
}

const SECONDS_MAX = 1_000_000_000;

/** Adds what says how much a shard keeps. */
export function addRetentionFlags(command: Command): Command {
  return command
    .option(
      '--max-age-seconds <seconds>',
      'what is older goes, read or not',
      wholeNumber(1, SECONDS_MAX),
    )
    .option('--max-bytes <size>', 'one server holds no more of it, such as "10 GiB"', size)
    .addOption(
      new Option('--when-full <policy>', 'what an append meets at --max-bytes')
        .choices(['refuse', 'drop-oldest'])
        .default('refuse'),
    );
}

export function retentionFrom(flags: RetentionFlags): ShardRetention {
  const { maxAgeSeconds, maxBytes } = flags;
  return {
    ...KEEP_UNTIL_RELEASED,
    ageMsMax: maxAgeSeconds === undefined ? null : maxAgeSeconds * 1000,
    bytesMax: maxBytes ?? null,
    whenFull: flags.whenFull,
  };
}

/** `namespace/shard`, or a shard of the brokers. @throws CommandError `usage` */
export function shardNameFrom(text: string): ShardName {
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length === 1 && first !== '') return { namespace: BROKER_NAMESPACE, shard: first };
  if (parts.length === 2 && first !== '' && second !== undefined && second !== '') {
    return { namespace: first, shard: second };
  }
  throw new CommandError(
    ExitCode.usage,
    `"${text}" names no shard: expected NAME or NAMESPACE/NAME, such as ${BROKER_NAMESPACE}/mqtt-0`,
  );
}

/** As people write it. */
export function shardText({ namespace, shard }: ShardName): string {
  return `${namespace}/${shard}`;
}

function size(text: string): number {
  const bytes = parseBytes(text) ?? (/^\d+$/.test(text) ? Number(text) : null);
  if (bytes !== null && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError('expected a size such as 10000 or "10 GiB"');
}
