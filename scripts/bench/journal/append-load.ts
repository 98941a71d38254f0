/** Producers that each append one record after the other, and what they got. */

/** What is measured. */
export interface AppendTarget {
  /** Appends a record of `body` as this producer; settles when it is acknowledged. */
  append(producer: number, body: Uint8Array): Promise<unknown>;
  /** Of its servers. */
  readonly pids: readonly number[];
  close(): Promise<void>;
}

export interface AppendFigures {
  readonly recordsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Both sides are compiled and have their buffers by then. */
export const WARM_UP_SECONDS = 2;

/** A closed loop: a producer appends again once it has its answer. */
export async function measureAppends(
  target: AppendTarget,
  load: { readonly producers: number; readonly bodyBytes: number; readonly seconds: number },
): Promise<AppendFigures> {
  const body = new Uint8Array(load.bodyBytes).fill(0x2e);
  const latenciesMs: number[] = [];
  let phase: 'warm-up' | 'measured' | 'over' = 'warm-up';
  const produce = async (producer: number): Promise<void> => {
    while (phase !== 'over') {
      const beganMs = performance.now();
      await target.append(producer, body);
      if (phase === 'measured') latenciesMs.push(performance.now() - beganMs);
    }
  };
  const running = Array.from({ length: load.producers }, (_, i) => produce(i + 1));
  await pause(WARM_UP_SECONDS * 1000);
  phase = 'measured';
  const beganMs = performance.now();
  await pause(load.seconds * 1000);
  const seconds = (performance.now() - beganMs) / 1000;
  const measured = latenciesMs.toSorted((one, other) => one - other);
  phase = 'over';
  await Promise.all(running);
  const at = (share: number): number => measured[Math.floor(share * measured.length)] ?? Number.NaN;
  return { recordsPerSecond: measured.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
