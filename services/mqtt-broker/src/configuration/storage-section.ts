import { bytesKey, bytesOrAutoKey, choiceKey, integerKey, textKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[storage]`: where messages that must not be lost are kept. */
export interface StorageSection {
  readonly storage_type: 'segment' | 'level' | 'jetstream' | 'postgres' | 's3' | 'memory';
  readonly directory: string;
  readonly segment_bytes_max: number;
  readonly journal_bytes_max: number;
  readonly disk_free_bytes_min: number | 'auto';
  readonly reader_lag_bytes_max: number;
  readonly reader_lag_seconds_max: number;
  readonly acknowledge: 'sync' | 'memory';
}

export const storageSection: SectionDeclaration<StorageSection> = {
  kind: 'section',
  name: 'storage',
  meaning: 'Where messages and sessions that must not be lost are kept.',
  keys: {
    storage_type: choiceKey({
      default: 'segment',
      choices: ['segment', 'level', 'jetstream', 'postgres', 's3', 'memory'],
      spellings: { EngineSegment: 'segment', EngineMemory: 'memory' },
      meaning:
        '"segment": files below directory. "level": a LevelDB below directory. "jetstream": NATS servers, see [jetstream]. "postgres": a PostgreSQL, see [postgres]. "s3": segment files that move to a bucket, see [s3]. "memory": nothing survives a restart.',
      reason: 'An acknowledged message survives a crash, unless somebody chose otherwise.',
    }),
    directory: textKey({
      default: 'data/standalone',
      allowEmpty: false,
      meaning: 'The directory of the data; a relative one starts at the working directory.',
      reason: 'One directory belongs to one broker: a second one that opens it is refused.',
      aliases: ['data_path', 'storage.data_path'],
    }),
    segment_bytes_max: bytesKey({
      default: 64 * 2 ** 20,
      minimum: 2 ** 20,
      maximum: 4 * 2 ** 30,
      meaning: 'The size at which a new segment file is begun.',
      reason: 'Whole segments are removed once nobody needs them: smaller ones free disk sooner.',
      aliases: ['shard.max_segment_size', 'storage_runtime.max_segment_size'],
    }),
    journal_bytes_max: bytesKey({
      default: 10 * 2 ** 30,
      minimum: 0,
      maximum: 2 ** 50,
      meaning:
        'The size of the journal at which durable messages are refused. 0: no limit but the disk.',
      reason: 'A subscriber that never comes back must not fill the disk.',
    }),
    disk_free_bytes_min: bytesOrAutoKey({
      default: 'auto',
      minimum: 0,
      maximum: 2 ** 50,
      meaning: 'Free disk space below which durable messages are refused.',
      reason:
        '"auto": 64 MiB, or a twentieth of the disk where that is less. A full disk helps nobody.',
    }),
    reader_lag_bytes_max: bytesKey({
      default: 0,
      minimum: 0,
      maximum: 2 ** 50,
      meaning:
        'The size of the journal above which the durable readers furthest behind lose their oldest messages. 0: never.',
      reason:
        'What was acknowledged is kept. Set it below journal_bytes_max where a reader that stays away must not keep others from publishing.',
    }),
    reader_lag_seconds_max: integerKey({
      default: 0,
      minimum: 0,
      maximum: 2 ** 31,
      unit: 'seconds',
      meaning:
        'The age at which a message that a durable reader has not taken is given up. 0: never.',
      reason: 'As above. Sessions that nobody returns to end by their own expiry.',
    }),
    acknowledge: choiceKey({
      default: 'sync',
      choices: ['sync', 'memory'],
      meaning:
        '"sync": a durable message is acknowledged once it is flushed to disk. "memory": before.',
      reason: 'With "memory" the last messages before a crash are lost although acknowledged.',
    }),
  },
};
