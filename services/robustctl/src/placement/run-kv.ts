import { readFileSync } from 'node:fs';
import {
  type KeyEvent,
  type KeyRange,
  type KeyValue,
  type LeaseId,
  prefixRange,
  type Revision,
  singleKeyRange,
} from '@robustmq/placement';
import type { DeleteFlags, GetFlags, PutFlags, WatchFlags } from '../commands/kv-command.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print } from '../output.ts';
import { deleteInPieces } from './delete-in-pieces.ts';
import type { ServerFlags } from './server-flags.ts';
import { withPlacement } from './with-placement.ts';

/** `kv get`: one value as it is, several keys one a line. */
export async function runGet(key: string, flags: GetFlags): Promise<void> {
  await withPlacement(flags, async (placement, { call }) => {
    let after: string | null = null;
    let found = 0;
    for (;;) {
      const page = await placement.range(
        {
          range: continued(rangeOf(key, flags), after),
          limit: flags.limit === 0 ? 0 : flags.limit - found,
          content: flags.keysOnly === true ? 'keys' : 'whole',
          consistency: flags.serializable === true ? 'serializable' : 'linearizable',
        },
        call,
      );
      for (const keyValue of page.keyValues) printKeyValue(keyValue, flags);
      found += page.keyValues.length;
      after = page.keyValues.at(-1)?.key ?? null;
      if (!page.more || after === null || (flags.limit !== 0 && found >= flags.limit)) break;
    }
    if (found === 0 && flags.prefix !== true) {
      throw new CommandError(ExitCode.failed, `there is no key ${JSON.stringify(key)}`);
    }
  });
}

function continued(range: KeyRange, after: string | null): KeyRange {
  return after === null ? range : { first: `${after}\0`, after: range.after };
}

function printKeyValue(keyValue: KeyValue, flags: GetFlags): void {
  if (flags.output === 'json') print(JSON.stringify(recordOf(keyValue)));
  else if (flags.keysOnly === true) print(keyValue.key);
  else if (flags.prefix === true) print(`${keyValue.key}\t${textOf(keyValue.value)}`);
  else print(textOf(keyValue.value));
}

/** `kv put` */
export async function runPut(
  key: string,
  value: string | undefined,
  flags: PutFlags,
): Promise<void> {
  const bytes = valueBytes(value, flags);
  await withPlacement(flags, async (placement, { call }) => {
    const { leaseTtl } = flags;
    const lease = leaseTtl === undefined ? null : (await placement.grantLease(leaseTtl, call)).id;
    const { revision } = await placement.transact(
      {
        compare: [],
        then: [{ kind: 'put', key, value: bytes, lease }],
        otherwise: [],
        requestId: null,
      },
      call,
    );
    printOutcome(
      { revision, ...(lease === null ? {} : { lease: Number(lease satisfies LeaseId) }) },
      flags,
    );
  });
}

/** `kv del` */
export async function runDelete(key: string, flags: DeleteFlags): Promise<void> {
  await withPlacement(flags, async (placement, { call }) => {
    const outcome = await deleteInPieces(placement, rangeOf(key, flags), call);
    printOutcome({ ...outcome }, flags);
  });
}

/** `kv watch`: until it is interrupted, or --count is reached. */
export async function runWatch(key: string, flags: WatchFlags): Promise<void> {
  await withPlacement(flags, async (placement) => {
    const from = flags.from === undefined ? null : (flags.from as Revision);
    const watch = placement.watch({ range: rangeOf(key, flags), from, progressEveryMs: null });
    process.once('SIGINT', () => watch.cancel());
    process.once('SIGTERM', () => watch.cancel());
    let seen = 0;
    for await (const { events } of watch) {
      for (const event of events) {
        print(flags.output === 'json' ? JSON.stringify(eventRecord(event)) : eventText(event));
        seen += 1;
        if (seen === flags.count) return;
      }
    }
  });
}

function eventText(event: KeyEvent): string {
  if (event.kind === 'delete') return `delete\t${event.key}`;
  return `put\t${event.keyValue.key}\t${textOf(event.keyValue.value)}`;
}

function eventRecord(event: KeyEvent): object {
  if (event.kind === 'delete') {
    return { kind: 'delete', key: event.key, modRevision: event.modRevision };
  }
  return { kind: 'put', ...recordOf(event.keyValue) };
}

/** Values that are no text are given as base64. */
function recordOf({ value, ...facts }: KeyValue): object {
  const text = utf8Of(value);
  return text === null
    ? { ...facts, valueBase64: Buffer.from(value).toString('base64') }
    : { ...facts, value: text };
}

function textOf(value: Uint8Array): string {
  return utf8Of(value) ?? `base64:${Buffer.from(value).toString('base64')}`;
}

function utf8Of(value: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return null;
  }
}

function printOutcome(outcome: Readonly<Record<string, number>>, flags: ServerFlags): void {
  if (flags.output === 'json') print(JSON.stringify(outcome));
  else {
    print(
      Object.entries(outcome)
        .map(([name, number]) => `${name} ${String(number)}`)
        .join(', '),
    );
  }
}

function rangeOf(key: string, { prefix }: { readonly prefix?: true }): KeyRange {
  return prefix === true ? prefixRange(key) : singleKeyRange(key);
}

function valueBytes(value: string | undefined, { file }: PutFlags): Uint8Array {
  if (file !== undefined && value !== undefined) {
    throw new CommandError(ExitCode.usage, 'give a value or --file, not both');
  }
  if (file === undefined && value !== undefined && value !== '-') {
    return new TextEncoder().encode(value);
  }
  try {
    return readFileSync(file ?? 0);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(ExitCode.inputOutput, `the value can't be read: ${reason}`, {
      cause: error,
    });
  }
}
