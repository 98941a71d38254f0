import type { TimerHandle, Timers } from '@robustmq/environment';
import { type CallOptions, PlacementError, type PlacementFault } from '@robustmq/placement';

/**
 * Waits for `work`, but not beyond the call's deadline or abort: then `late` says what is known.
 * The work itself goes on; its outcome is dropped.
 */
export function withinDeadline<Value>(
  timers: Timers,
  work: Promise<Value>,
  options: CallOptions,
  late: (detail: string) => PlacementFault,
): Promise<Value> {
  const { signal, deadlineMs } = options;
  return new Promise((resolve, reject) => {
    let timer: TimerHandle | null = null;
    const end = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(new PlacementError(late('the caller gave up')));
    };
    if (signal?.aborted === true) {
      work.catch(() => {});
      onAbort();
      return;
    }
    timer = timers.after(deadlineMs, () => {
      end();
      reject(new PlacementError(late(`no outcome within ${String(deadlineMs)} ms`)));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
