import type { RandomSource } from '@robustmq/environment';
import type {
  CallOptions,
  Comparison,
  Operation,
  Placement,
  TransactionResult,
} from '@robustmq/placement';
import { clusterRoot } from './key-space.ts';

/** What the registries of one cluster stand on. */
export interface RegistryStore {
  readonly placement: Placement;
  /** Names requests, so that one is never carried out twice. */
  readonly random: RandomSource;
  /** Ends in `/`. */
  readonly root: string;
}

/** @throws REGISTRY_INVALID when the name cannot be part of a key */
export function registryStore(
  placement: Placement,
  options: { readonly clusterName: string; readonly random: RandomSource },
): RegistryStore {
  return { placement, random: options.random, root: clusterRoot(options.clusterName) };
}

/** All of `then`, if every comparison holds, under a request id of its own. */
export function transactOnce(
  store: RegistryStore,
  step: { readonly compare: readonly Comparison[]; readonly then: readonly Operation[] },
  options: CallOptions,
): Promise<TransactionResult> {
  const transaction = { ...step, otherwise: [], requestId: newRequestId(store.random) };
  return store.placement.transact(transaction, options);
}

/** 128 random bits in hexadecimal. */
export function newRequestId(random: RandomSource): string {
  const id = new Uint8Array(16);
  random.fill(id);
  return Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
