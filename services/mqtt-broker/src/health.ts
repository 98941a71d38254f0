import { healthReport, type HealthSource } from '@robustmq/telemetry';

/** What the health routes tell of the broker. */
export interface BrokerCondition {
  readonly phase: 'new' | 'recovering' | 'serving' | 'stopping';
  readonly listeners: number;
  readonly listenersWanted: number;
  readonly journalFull: boolean;
  /** An operator sends the clients elsewhere. */
  readonly draining: boolean;
}

export function healthOf(condition: () => BrokerCondition): HealthSource {
  return {
    live: () => healthReport([{ name: 'process', ok: true, detail: 'the event loop turns' }]),
    started: () => {
      const { phase } = condition();
      const ok = phase === 'serving' || phase === 'stopping';
      return healthReport([{ name: 'started', ok, detail: phase }]);
    },
    ready: () => {
      const { phase, listeners, listenersWanted, journalFull, draining } = condition();
      return healthReport([
        { name: 'recovery', ok: phase !== 'new' && phase !== 'recovering', detail: phase },
        {
          name: 'listeners',
          ok: listeners === listenersWanted && phase === 'serving',
          detail: `${listeners} of ${listenersWanted} are up`,
        },
        {
          name: 'journal',
          ok: !journalFull,
          detail: journalFull ? 'full: durable publishes are refused' : 'accepts appends',
        },
        {
          name: 'clients',
          ok: !draining,
          detail: draining ? 'being drained: clients are sent elsewhere' : 'let in',
        },
      ]);
    },
  };
}
