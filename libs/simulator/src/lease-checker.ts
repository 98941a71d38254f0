/** No lease ends before the time that its holder was promised. */
import type { LeaseId } from '@robustmq/placement';
import { Violation } from './violation.ts';

export class LeaseChecker {
  /** Until when a lease must live, in simulated milliseconds. */
  readonly #promisedUntilMs = new Map<LeaseId, number>();
  /** When the end of a lease was first applied anywhere, because its time was over. */
  readonly #expiredAtMs = new Map<LeaseId, number>();
  readonly #givenBack = new Set<LeaseId>();

  /** Its holder was told so. The news may arrive after the end. */
  promised(id: LeaseId, untilMs: number): void {
    this.#promisedUntilMs.set(id, Math.max(untilMs, this.#promisedUntilMs.get(id) ?? 0));
    this.#check(id);
  }

  /** Its holder does not want it any more. */
  givenBack(id: LeaseId): void {
    this.#givenBack.add(id);
  }

  /** @returns whether this is the first node that applies it */
  expired(id: LeaseId, nowMs: number): boolean {
    if (this.#expiredAtMs.has(id)) return false;
    this.#expiredAtMs.set(id, nowMs);
    this.#check(id);
    return true;
  }

  #check(id: LeaseId): void {
    const expiredAtMs = this.#expiredAtMs.get(id);
    const untilMs = this.#promisedUntilMs.get(id);
    if (expiredAtMs === undefined || untilMs === undefined || this.#givenBack.has(id)) return;
    if (expiredAtMs >= untilMs) return;
    const detail = `lease ${id} ended at ${expiredAtMs} ms, promised until ${Math.round(untilMs)} ms`;
    throw new Violation('lease ended early', detail);
  }
}
