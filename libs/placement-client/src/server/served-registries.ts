import type { Clock } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import type { Registries } from '@robustmq/placement-registry';
import type { CallContext } from '@robustmq/rpc';

/** What the calls of the control plane stand on. */
export interface ServedRegistries {
  /** Of the cluster a request names; empty: of the own one. @throws REGISTRY_INVALID */
  registriesOf(clusterName: string): Registries;
  readonly clock: Clock;
}

/** How long a call may take that names no deadline. */
const DEADLINE_MS_MAX = 30_000;
/** How many records a page has that names no limit. */
const RECORDS_PER_PAGE = 500;
const RECORDS_PER_PAGE_MAX = 1_000;

/** What is left for the steps of a call. */
export function optionsOf(context: CallContext): CallOptions {
  const deadlineMs = Math.max(1, Math.min(context.deadlineMs, DEADLINE_MS_MAX));
  return { deadlineMs, signal: context.signal };
}

/** 0: as many as the server allows. */
export function limitOf(request: { readonly limit: number }): number {
  return request.limit === 0 ? RECORDS_PER_PAGE : Math.min(request.limit, RECORDS_PER_PAGE_MAX);
}
