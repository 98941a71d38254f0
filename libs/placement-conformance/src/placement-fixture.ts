import type { Placement } from '@robustmq/placement';

/** How to make the implementation under test. */
export interface PlacementFixture {
  readonly capabilities: PlacementCapabilities;
  /** A store for one test. It may hold keys of others and any revision; tests keep to their own prefix. */
  open(): Promise<OpenedPlacement>;
}

/** What an implementation can do. The suite skips exactly what is declared false here. */
export interface PlacementCapabilities {
  /** A transaction sent again under its request id is not carried out twice. */
  readonly requestIds: boolean;
  /** `progressEveryMs` of watches is honoured. */
  readonly progress: boolean;
  /** `manual`: time passes in `advance` only; `real`: it passes anyway, and tests wait. */
  readonly time: 'manual' | 'real';
  /** The shortest life of a lease. */
  readonly ttlSecondsMin: number;
  /** How many keys one transaction touches, at most a thousand; absent: not tried. */
  readonly touchedKeysMax?: number;
}

export interface OpenedPlacement {
  readonly placement: Placement;
  /** Lets the time of leases pass; settles once it has. */
  advance(seconds: number): Promise<void>;
  /** Frees everything; the placement may be closed already. */
  close(): Promise<void>;
}
