/** How much the state machine keeps and takes. */
import { crc32c } from '@robustmq/bytes';

/**
 * Of what commands do, of {@link DEFAULT_STATE_MACHINE_LIMITS} and of the records. Every command and
 * every state tells it, and a member of another version refuses them: two versions never apply one
 * command, each in its own way. Any change to one of the three takes the next number.
 */
export const STATE_MACHINE_VERSION = 2;

/**
 * Bounds of the state machine. Refusals and automatic compaction follow from them, so that every
 * member of a group, and every later version of it, runs under the same ones.
 */
export interface StateMachineLimits {
  /** LIMIT: historyRevisionsMax, revisions that stay readable for watches; older ones are compacted. */
  readonly historyRevisionsMax: number;
  /** LIMIT: historyBytesMax, bytes of history; beyond them the older half is compacted. */
  readonly historyBytesMax: number;
  /** LIMIT: storedBytesMax, keys, values, leases and history together; beyond it puts are refused. */
  readonly storedBytesMax: number;
  /** LIMIT: leasesMax, living leases; one more is refused. */
  readonly leasesMax: number;
  /** LIMIT: outcomesMax, request ids whose outcome is known; the oldest is forgotten for a new one. */
  readonly outcomesMax: number;
  /**
   * LIMIT: touchedKeysMax, keys in the ranges that one transaction names, and those that one command
   * takes from a lease that ends; so many are applied in about a quarter of a second.
   */
  readonly touchedKeysMax: number;
  /** LIMIT: touchedBytesMax, characters of these keys and bytes of values that one command reads. */
  readonly touchedBytesMax: number;
}

export const DEFAULT_STATE_MACHINE_LIMITS: StateMachineLimits = Object.freeze({
  historyRevisionsMax: 100_000,
  historyBytesMax: 1024 ** 3,
  storedBytesMax: 8 * 1024 ** 3,
  leasesMax: 1_000_000,
  outcomesMax: 65_536,
  touchedKeysMax: 20_000,
  touchedBytesMax: 64 * 1024 ** 2,
});

const LIMIT_NAMES = Object.keys(DEFAULT_STATE_MACHINE_LIMITS) as (keyof StateMachineLimits)[];

/**
 * Different for different limits, from 1; the state holds it from its first command on, so that a
 * member that would go on under others says so instead.
 */
export function limitsMark(limits: StateMachineLimits): number {
  const bytes = new Uint8Array(8 * LIMIT_NAMES.length);
  const view = new DataView(bytes.buffer);
  for (const [at, name] of LIMIT_NAMES.entries()) view.setFloat64(8 * at, limits[name]);
  return 1 + crc32c(bytes, 0, bytes.length);
}

/** Bounds of one command; every edge holds them against what it is sent, before the Raft log. */
export interface CommandLimits {
  /** LIMIT: keyBytesMax, UTF-8 bytes of a key. */
  readonly keyBytesMax: number;
  /** LIMIT: valueBytesMax, bytes of a value. */
  readonly valueBytesMax: number;
  /** LIMIT: operationsMax, operations of one branch, and comparisons, of a transaction. */
  readonly operationsMax: number;
  /** LIMIT: commandBytesMax, bytes of one encoded command. */
  readonly commandBytesMax: number;
  /** LIMIT: requestIdBytesMax, UTF-8 bytes of a request id. */
  readonly requestIdBytesMax: number;
}

export const DEFAULT_COMMAND_LIMITS: CommandLimits = Object.freeze({
  keyBytesMax: 66_000,
  valueBytesMax: 1024 ** 2,
  operationsMax: 1024,
  commandBytesMax: 4 * 1024 ** 2,
  requestIdBytesMax: 64,
});

/** LIMIT: keys that one range read tells; then `more` is set. */
export const RANGE_KEYS_MAX = 10_000;

/** LIMIT: bytes of keys and values that one range read tells, at least one key; then `more` is set. */
export const RANGE_BYTES_MAX: number = 3 * 1024 ** 2;

/** The longest life of a lease, about 285 years. */
export const LEASE_TTL_SECONDS_MAX = 9_000_000_000;
