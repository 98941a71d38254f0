import {
  type CallOptions,
  type Placement,
  PlacementError,
  type Watch,
  type WatchRequest,
} from '@robustmq/placement';
import type { ProcessLife } from './process-life.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** What lies between one process and the placement center. */
export interface PlacementRoute {
  readonly life: ProcessLife;
  readonly time: SimulatedTime;
  /** Nothing gets through now, either way. */
  isCut(): boolean;
  delayMs(): number;
  /** Whether this answer is lost. */
  losesAnswer(): boolean;
}

const RETRY_MS = 40;

/**
 * The placement center as one life of a process sees it. A call waits for a way as long as its deadline
 * lasts; what was sent and not answered by then has an unknown outcome.
 */
export function placementSeenBy(route: PlacementRoute, store: Placement): Placement {
  const read = <Answer>(options: CallOptions, work: (call: CallOptions) => Promise<Answer>) =>
    call(route, options, { isChange: false, work });
  const change = <Answer>(options: CallOptions, work: (call: CallOptions) => Promise<Answer>) =>
    call(route, options, { isChange: true, work });
  return {
    range: (request, options) => read(options, (to) => store.range(request, to)),
    transact: (transaction, options) => change(options, (to) => store.transact(transaction, to)),
    watch: (request) => watchSeen(route, store, request),
    grantLease: (ttl, options) => change(options, (to) => store.grantLease(ttl, to)),
    keepLease: (id, options) => change(options, (to) => store.keepLease(id, to)),
    revokeLease: (id, options) => change(options, (to) => store.revokeLease(id, to)),
    readLease: (id, options) => read(options, (to) => store.readLease(id, to)),
    compact: (revision, options) => change(options, (to) => store.compact(revision, to)),
    close: async () => {},
  };
}

function call<Answer>(
  { life, time, isCut, delayMs, losesAnswer }: PlacementRoute,
  options: CallOptions,
  what: { readonly isChange: boolean; readonly work: (to: CallOptions) => Promise<Answer> },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let isSent = false;
    let isOver = false;
    const settle = (action: () => void): void => {
      if (isOver) return;
      isOver = true;
      late.cancel();
      options.signal?.removeEventListener('abort', giveUp);
      life.run(action);
    };
    const giveUp = (): void => {
      const detail = `no answer within ${options.deadlineMs} ms`;
      const code = isSent && what.isChange ? 'PLACEMENT_OUTCOME_UNKNOWN' : 'PLACEMENT_UNAVAILABLE';
      settle(() => reject(new PlacementError({ code, detail })));
    };
    const answer = (action: () => void): void => {
      if (losesAnswer()) return;
      const arrive = (): void => {
        if (isOver) return;
        if (isCut()) time.after(RETRY_MS, arrive);
        else settle(action);
      };
      time.after(delayMs(), arrive);
    };
    const send = (): void => {
      if (isOver || !life.isAlive) return;
      if (isCut()) {
        time.after(RETRY_MS, send);
        return;
      }
      isSent = true;
      time.after(delayMs(), () => {
        what.work({ deadlineMs: options.deadlineMs, signal: null }).then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error as Error)),
        );
      });
    };
    const late = time.after(options.deadlineMs, giveUp);
    options.signal?.addEventListener('abort', giveUp, { once: true });
    if (options.signal?.aborted === true) giveUp();
    else send();
  });
}

function watchSeen(route: PlacementRoute, store: Placement, request: WatchRequest): Watch {
  const inner = store.watch(request);
  let isCancelled = false;
  let wake: (() => void) | null = null;
  const { life, time, isCut, delayMs } = route;
  const arrival = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      const arrive = (): void => {
        if (!life.isAlive) return;
        if (isCut()) time.after(RETRY_MS, arrive);
        else life.run(resolve);
      };
      time.after(delayMs(), arrive);
    });
  return {
    cancel: () => {
      isCancelled = true;
      inner.cancel();
      wake?.();
    },
    async *[Symbol.asyncIterator]() {
      for await (const batch of inner) {
        await arrival();
        if (isCancelled) return;
        yield batch;
      }
    },
  };
}
