import { JournalError } from '@robustmq/journal';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { PlacementError } from '@robustmq/placement';
import { RegistryError } from '@robustmq/placement-registry';
import type { OwnershipAnswer } from './contract.ts';

/** A session belongs to its user. */
export const REFUSED_OTHER_USER: OwnershipAnswer = {
  verdict: 'refuse',
  reasonCode: ReasonCode.clientIdentifierNotValid,
  reason: 'the client identifier is in use by another user',
};

/** Of two that want a session the later one gets it. */
export const SUPERSEDED: OwnershipAnswer = {
  verdict: 'refuse',
  reasonCode: ReasonCode.serverBusy,
  reason: 'another connection of this client came meanwhile',
};

/** The placement center, the journal or the owner before does not answer. */
export const UNAVAILABLE: OwnershipAnswer = {
  verdict: 'refuse',
  reasonCode: ReasonCode.serverUnavailable,
  reason: 'this broker cannot take the session over at the moment: try again, or another broker',
};

/** What a client is told when taking its session failed. @throws what is no known failure */
export function refusalOf(error: unknown): OwnershipAnswer {
  const isKnown =
    error instanceof PlacementError ||
    error instanceof RegistryError ||
    error instanceof JournalError;
  if (!isKnown) throw error;
  return isFenced(error) ? SUPERSEDED : UNAVAILABLE;
}

/** Somebody else owns it by now. */
export function isFenced(error: unknown): boolean {
  return error instanceof RegistryError && error.fault.code === 'REGISTRY_FENCED';
}
