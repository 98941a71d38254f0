/** What the Raft log of the placement group holds: one command per data entry. */
import type { LeaseId, Revision } from './identifiers.ts';
import type { Transaction, TransactionResult } from './transaction.ts';

export type Command =
  | { readonly kind: 'transact'; readonly transaction: Transaction }
  | {
      readonly kind: 'grantLease';
      /** null: the state machine takes the next one. */
      readonly id: LeaseId | null;
      readonly ttlSeconds: number;
      readonly requestId: string | null;
    }
  /**
   * Ends the lease and deletes its keys: in one revision, or as many as one command may touch. Then the
   * result says `more`, nobody can use the lease any more, and the command is to be repeated.
   * `expired` tells the audit why.
   */
  | { readonly kind: 'revokeLease'; readonly id: LeaseId; readonly reason: 'asked' | 'expired' }
  /** Forgets the history up to and including `revision`; what stands is kept. */
  | { readonly kind: 'compact'; readonly revision: Revision };

export type CommandResult =
  | { readonly kind: 'transacted'; readonly result: TransactionResult }
  | {
      readonly kind: 'leaseGranted';
      readonly id: LeaseId;
      readonly ttlSeconds: number;
      readonly revision: Revision;
      /** The request id was known: it was granted before, and may have ended since. */
      readonly repeated: boolean;
    }
  | {
      readonly kind: 'leaseRevoked';
      readonly revision: Revision;
      readonly deleted: number;
      /** Keys are left. */
      readonly more: boolean;
    }
  | { readonly kind: 'compacted'; readonly revision: Revision }
  | { readonly kind: 'refused'; readonly refusal: CommandRefusal };

/** Nothing was changed. The same on every member, because it follows from the state alone. */
export type CommandRefusal =
  | { readonly code: 'LEASE_NOT_FOUND'; readonly lease: LeaseId }
  | { readonly code: 'LEASE_EXISTS'; readonly lease: LeaseId }
  | { readonly code: 'LEASES_FULL'; readonly limit: number }
  | { readonly code: 'KEY_TWICE'; readonly key: string }
  /** The ranges of both branches hold more than one command may touch, or its reads do. */
  | { readonly code: 'TOO_MANY_KEYS'; readonly limit: number; readonly bytesLimit: number }
  | { readonly code: 'REVISION_COMPACTED'; readonly requested: Revision; readonly oldest: Revision }
  | { readonly code: 'REVISION_FUTURE'; readonly requested: Revision; readonly current: Revision }
  | { readonly code: 'STORE_FULL'; readonly bytes: number; readonly limit: number };
