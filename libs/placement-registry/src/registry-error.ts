import { unreachable } from '@robustmq/errors';

/**
 * Why a registry did not do what it was asked to. Nothing was changed, whichever it is. What the
 * placement store itself reports passes through as `PlacementError`.
 */
export type RegistryFault =
  | { readonly code: 'REGISTRY_INVALID'; readonly detail: string }
  | { readonly code: 'REGISTRY_NOT_FOUND'; readonly key: string }
  | { readonly code: 'REGISTRY_EXISTS'; readonly key: string }
  /** The writer names an incarnation, epoch or revision that is not the newest: it must stop. */
  | {
      readonly code: 'REGISTRY_FENCED';
      readonly key: string;
      readonly offered: number;
      /** 0: what was guarded is gone. */
      readonly current: number;
    }
  /** Others changed the record again and again between reading and writing; ask again later. */
  | { readonly code: 'REGISTRY_CONTENDED'; readonly key: string; readonly attempts: number }
  /** Fewer nodes are alive than replicas were asked for. */
  | { readonly code: 'REGISTRY_NODES_MISSING'; readonly wanted: number; readonly alive: number }
  /** A shard that has no place yet, or whose members are changing. */
  | { readonly code: 'REGISTRY_SHARD_UNDER_WAY'; readonly key: string }
  /** A value that this version cannot read: damaged, or written by a newer one. */
  | { readonly code: 'REGISTRY_RECORD_UNREADABLE'; readonly key: string; readonly detail: string };

/** Thrown by every registry method; `fault` says what a caller can act on. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly fault: RegistryFault;

  constructor(fault: RegistryFault, options?: ErrorOptions) {
    super(describe(fault), options);
    this.fault = fault;
  }
}

function describe(fault: RegistryFault): string {
  switch (fault.code) {
    case 'REGISTRY_INVALID':
      return `the request is not valid: ${fault.detail}`;
    case 'REGISTRY_NOT_FOUND':
      return `${fault.key} does not exist`;
    case 'REGISTRY_EXISTS':
      return `${fault.key} exists already`;
    case 'REGISTRY_FENCED':
      return `${fault.key} is at ${fault.current}; ${fault.offered} may not write it any more`;
    case 'REGISTRY_CONTENDED':
      return `${fault.key} was changed by others during ${fault.attempts} attempts`;
    case 'REGISTRY_NODES_MISSING':
      return `${fault.wanted} replicas need as many nodes, and ${fault.alive} are alive`;
    case 'REGISTRY_SHARD_UNDER_WAY':
      return `${fault.key} is being founded, repaired or moved: wait until that is done`;
    case 'REGISTRY_RECORD_UNREADABLE':
      return `${fault.key} cannot be read: ${fault.detail}`;
    default:
      return unreachable(fault);
  }
}
