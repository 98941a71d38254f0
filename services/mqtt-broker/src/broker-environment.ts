import {
  type Clock,
  type RandomSource,
  systemClock,
  systemRandom,
  systemTimers,
  type Timers,
} from '@robustmq/environment';

/** Where the time and the chance of one broker come from: those of the machine, or of a simulation. */
export interface BrokerEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
}

export const systemEnvironment: BrokerEnvironment = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
};

/** Resolves after so long, by these timers. */
export function waitMs(timers: Timers, milliseconds: number): Promise<void> {
  return new Promise((resolve) => timers.after(milliseconds, resolve));
}
