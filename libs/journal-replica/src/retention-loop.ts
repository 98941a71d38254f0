/** On the leader: trims a shard now and then as its retention says. */
import type { Clock, TimerHandle, Timers } from '@robustmq/environment';
import { type RetainedSegment, retentionTarget, type ShardRetention } from '@robustmq/journal';

const PERIOD_MS = 5000;

export interface RetentionParts {
  readonly environment: { readonly clock: Clock; readonly timers: Timers };
  /** null: everything stays. */
  readonly retention: (() => ShardRetention) | null;
  readonly neededFrom: () => number;
  readonly leads: () => boolean;
  readonly segments: () => readonly RetainedSegment[];
  /** Makes the records below `offset` go on all replicas. */
  readonly trim: (offset: number) => Promise<void>;
}

export class RetentionLoop {
  readonly #parts: RetentionParts;
  readonly #timer: TimerHandle | null;
  #isTrimming = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    const { timers } = parts.environment;
    this.#timer = parts.retention === null ? null : timers.every(PERIOD_MS, () => this.#look());
  }

  /** Why an append of so many bytes is refused, or null. */
  refusal(byteCount: number): string | null {
    const { bytesHardMax, atHardLimit } = this.#parts.retention?.() ?? {};
    if (bytesHardMax === undefined || atHardLimit !== 'refuse') return null;
    const bytes = this.#parts.segments().reduce((sum, segment) => sum + segment.bytes, 0);
    if (bytes + byteCount <= bytesHardMax) return null;
    return `${byteCount} more bytes exceed the ${bytesHardMax} allowed for the shard`;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { environment, retention, neededFrom, leads, segments, trim } = this.#parts;
    if (this.#isTrimming || !leads()) return;
    const facts = { nowMs: environment.clock.nowMs(), neededFrom: neededFrom() };
    const target = retentionTarget(segments(), retention?.() ?? {}, facts);
    if (target === null) return;
    this.#isTrimming = true;
    // Another leader, or this one, tries again.
    trim(target)
      .catch(() => undefined)
      .finally(() => void (this.#isTrimming = false));
  }
}
