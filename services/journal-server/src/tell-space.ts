/**
 * Tells the placement center whether this server's disk takes appends, so that another replica leads
 * while it does not: followers go on for longer, because they take what a leader took.
 */
import type { RandomSource, Timers } from '@robustmq/environment';
import type { SpaceWatch } from '@robustmq/journal-replica';
import type { CallOptions } from '@robustmq/placement';
import {
  type Controller,
  encodeServerNotice,
  type NodeRegistry,
  pause,
  type Registration,
  runControllers,
} from '@robustmq/placement-registry';

/** How long a disk may be full or roomy again before it is told. */
const LOOK_MS = 500;

/** Whose disk, and whom to tell. */
export interface TellSpaceOptions {
  readonly space: Pick<SpaceWatch, 'isScarce'>;
  readonly nodes: Pick<NodeRegistry, 'describe'>;
  readonly registration: Registration;
  readonly version: string;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly call: CallOptions;
  /** Must not throw. It is tried again. */
  onFailure(error: unknown): void;
}

/** `main`, and the telling beside it for as long as it runs. */
export function tellSpaceBeside(main: Controller, options: TellSpaceOptions): Controller {
  const { timers, random, onFailure } = options;
  const edges = {
    timers,
    random,
    reportFailure: ({ error }: { error: unknown }) => onFailure(error),
  };
  return {
    name: main.name,
    run: async (signal) => {
      const ending = new AbortController();
      const lasting = AbortSignal.any([signal, ending.signal]);
      const telling = runControllers([tellSpace(options)], edges, lasting);
      try {
        await main.run(signal);
      } finally {
        ending.abort();
        await telling;
      }
    },
  };
}

function tellSpace(options: TellSpaceOptions): Controller {
  const { space, nodes, registration, version, timers, call } = options;
  return {
    name: 'tell-space',
    run: async (signal) => {
      let told: string | null = null;
      while (!signal.aborted) {
        const notice = encodeServerNotice({ version, diskFull: space.isScarce });
        if (notice !== told) await nodes.describe(registration, notice, { ...call, signal });
        told = notice;
        await pause(timers, LOOK_MS, signal);
      }
    },
  };
}
