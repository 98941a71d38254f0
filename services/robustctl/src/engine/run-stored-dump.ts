import { type FileSystem, readWholeFile } from '@robustmq/environment';
import {
  batchRecordCountAt,
  decodeShardCommand,
  inspectBatch,
  RecordBatchReader,
  ShardState,
} from '@robustmq/journal';
import { decodeKeyedCommand, type KeyedCall } from '@robustmq/keyed';
import type { Entry } from '@robustmq/raft';
import { inspectLog } from '@robustmq/raft-driver';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note, print } from '../output.ts';
import type { RecordFlags } from './engine-flags.ts';
import { previewOf, recordText } from './record-text.ts';
import { type StoredGroup, withStoredGroups } from './stored-groups.ts';

/** `engine dump GROUP --data DIRECTORY`: what the log of a stopped server holds. */
export function runStoredDump(
  directory: string,
  wanted: string | undefined,
  flags: RecordFlags,
): Promise<void> {
  return withStoredGroups(directory, wanted, async (groups, fileSystem) => {
    const [group, second] = groups;
    if (group === undefined || second !== undefined) {
      const ids = groups.map(({ groupId }) => groupId).join(', ');
      throw new CommandError(ExitCode.usage, `name one of the groups ${ids}`);
    }
    const printed = new PrintedLog(flags);
    const state = await baseOf(group, fileSystem);
    const segments = await inspectLog(fileSystem, group.logDirectory, (entry) => {
      if (group.kind === 'messages') printed.messages(entry, state);
      else printed.keyed(entry);
    });
    note('the last entries may not be committed: the log of one server does not tell');
    const damaged = segments.filter(({ damage }) => damage !== null);
    if (damaged.length === 0) return;
    const paths = damaged.map(({ path }) => path).join(', ');
    throw new CommandError(ExitCode.failed, `damaged: ${paths}; \`engine verify\` tells where`);
  });
}

/** What the replica knew before the first entry of its log. */
async function baseOf(group: StoredGroup, fileSystem: FileSystem): Promise<ShardState> {
  const bytes = await readWholeFile(fileSystem, `${group.filesDirectory}/base`);
  return (bytes === null ? null : ShardState.decode(bytes)) ?? new ShardState();
}

class PrintedLog {
  readonly #flags: RecordFlags;
  readonly #reader = new RecordBatchReader();
  #left: number;

  constructor(flags: RecordFlags) {
    this.#flags = flags;
    this.#left = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
  }

  /** @param state  as of the entry before; changed by this one */
  messages(entry: Entry, state: ShardState): void {
    if (entry.kind !== 'data' || entry.index <= state.appliedIndex) return;
    const { data } = entry;
    const command = decodeShardCommand(data);
    if (command === null) return this.#line(`entry ${entry.index} is of a later version`);
    const start = command.kind === 'append' ? command.batchStart : 0;
    const count = command.kind === 'append' ? batchRecordCountAt(data, start) : 0;
    const outcome = state.apply(command, count);
    if (outcome.kind !== 'appended') return;
    if (inspectBatch(data, start, data.length) !== 'valid') {
      return this.#line(`records ${outcome.base} to ${state.next - 1} fail their checksum`);
    }
    this.#reader.open(data, start);
    this.#reader.placeAt(outcome.base, outcome.appendedAtMs);
    while (this.#reader.next()) {
      if (this.#reader.offset < Math.max(this.#flags.from, state.oldest)) continue;
      this.#line(recordText(this.#reader.record(), this.#flags.output));
    }
  }

  keyed(entry: Entry): void {
    if (entry.kind !== 'data') return;
    const command = decodeKeyedCommand(entry.data);
    if (!command.ok) return this.#line(`entry ${entry.index} is of a later version, or damaged`);
    for (const call of command.value.calls) this.#calls(entry.index, call);
  }

  #calls(index: number, call: KeyedCall): void {
    if (this.#flags.output === 'json') return this.#line(jsonOf(index, call));
    if (call.kind === 'claim') {
      return this.#line(`entry ${index}  claim ${JSON.stringify(call.key)}  fence ${call.fence}`);
    }
    for (const { key, fence, value } of call.writes) {
      const what = value === null ? 'removed' : `${value.length} bytes  ${previewOf(value)}`;
      this.#line(`entry ${index}  write ${JSON.stringify(key)}  fence ${fence}  ${what}`);
    }
  }

  #line(line: string): void {
    if (this.#left <= 0) return;
    this.#left -= 1;
    print(line);
  }
}

function jsonOf(index: number, call: KeyedCall): string {
  if (call.kind === 'claim') return JSON.stringify({ index, ...call });
  const writes = call.writes.map(({ key, fence, value }) => ({
    key,
    fence,
    valueBase64: value === null ? null : Buffer.from(value).toString('base64'),
  }));
  return JSON.stringify({ index, kind: 'write', writes });
}
