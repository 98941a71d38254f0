import { DEFAULT_STATE_MACHINE_LIMITS } from '@robustmq/placement';
import { describePlacement } from './describe-placement.ts';
import { MemoryPlacement } from './memory-placement.ts';

describePlacement('memory', {
  capabilities: {
    requestIds: true,
    progress: true,
    time: 'manual',
    ttlSecondsMin: 2,
    touchedKeysMax: 100,
  },
  open: async () => {
    const placement = new MemoryPlacement({ ...DEFAULT_STATE_MACHINE_LIMITS, touchedKeysMax: 100 });
    return {
      placement,
      advance: async (seconds) => placement.advance(seconds),
      close: () => placement.close(),
    };
  },
});
