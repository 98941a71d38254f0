import type { PageRequest } from '@robustmq/placement-registry';
import { note, print, table } from '../output.ts';
import type { ListFlags } from './cluster-flags.ts';

const PAGE = 500;

/** A part of a list. */
export interface ListPage<Value> {
  readonly items: readonly { readonly value: Value; readonly names: readonly string[] }[];
  /** Where the next part begins; null: this is the last. */
  readonly next: string | null;
}

/** What to show of each item of a list. */
export interface ListLayout<Value> {
  readonly heading: readonly string[];
  row(value: Value, names: readonly string[]): readonly string[];
  /** As printed with `--output json`, one object a line. */
  record(value: Value, names: readonly string[]): object;
}

/** Prints a list page by page, at most `--limit` items, and where it goes on. */
export async function printPages<Value>(
  flags: ListFlags,
  layout: ListLayout<Value>,
  read: (page: PageRequest) => Promise<ListPage<Value>>,
): Promise<void> {
  const rows: (readonly string[])[] = [];
  let left = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
  let after = flags.after ?? null;
  while (left > 0) {
    const page = await read({ after, limit: Math.min(PAGE, left) });
    for (const { value, names } of page.items) {
      if (flags.output === 'json') print(JSON.stringify(layout.record(value, names)));
      else rows.push(layout.row(value, names));
    }
    left -= page.items.length;
    after = page.next;
    if (after === null) break;
  }
  if (flags.output !== 'json') print(table(layout.heading, rows));
  if (after !== null) note(`there are more: --after ${JSON.stringify(after)}, or --limit 0`);
}
