/** What one part of the benchmark found, as it is kept until the page is written. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineFacts } from '../machine.ts';

export const PARTS = ['live', 'workers', 'durable', 'subscriptions', 'takeovers'] as const;
export type PartName = (typeof PARTS)[number];

/** One line of the table. */
export interface ClusterRow {
  readonly scenario: string;
  readonly figure: string;
  readonly value: string;
  /** The other products, where the part has them. */
  readonly nats: string;
  readonly rabbitmq: string;
  readonly goal: string;
  /** null: nothing to judge by. */
  readonly isMet: boolean | null;
}

export interface PartResult {
  readonly part: PartName;
  readonly rows: readonly ClusterRow[];
  readonly notes: readonly string[];
  readonly machine: MachineFacts;
  readonly date: string;
}

/** A line about our product alone. */
export function ownRow(
  row: Pick<ClusterRow, 'scenario' | 'figure' | 'value'> & Partial<ClusterRow>,
): ClusterRow {
  return { nats: '', rabbitmq: '', goal: '–', isMet: null, ...row };
}

export function keepResult(cache: string, result: PartResult): void {
  mkdirSync(cache, { recursive: true });
  writeFileSync(fileOf(cache, result.part), `${JSON.stringify(result)}\n`);
}

/** The newest of each part that was ever measured here. */
export function keptResults(cache: string): readonly PartResult[] {
  return PARTS.flatMap((part): readonly PartResult[] => {
    try {
      return [JSON.parse(readFileSync(fileOf(cache, part), 'utf8')) as PartResult];
    } catch {
      return [];
    }
  });
}

function fileOf(cache: string, part: PartName): string {
  return join(cache, `cluster-${part}.json`);
}
