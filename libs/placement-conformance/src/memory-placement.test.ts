import { describePlacement } from './describe-placement.ts';
import { MemoryPlacement } from './memory-placement.ts';

describePlacement('memory', {
  capabilities: { requestIds: true, progress: true, time: 'manual', ttlSecondsMin: 2 },
  open: async () => {
    const placement = new MemoryPlacement();
    return {
      placement,
      advance: async (seconds) => placement.advance(seconds),
      close: () => placement.close(),
    };
  },
});
