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

/** Between two lives, such as on the side of a cut that has no majority. */
export const NO_PLACE =
  'this broker has no place in its cluster at the moment, or is cut off from it';

/** It may be that of another broker, or will be possible in a moment. */
export const PLACELESS: OwnershipAnswer = unavailable(NO_PLACE);

/** The owner before is alive and does not answer. */
export const UNAVAILABLE: OwnershipAnswer = unavailable(
  'the broker that had the session could not give it up',
);

/** What a client is told when taking its session failed. @throws what is no known failure */
export function refusalOf(error: unknown): OwnershipAnswer {
  if (isFenced(error)) return SUPERSEDED;
  if (error instanceof JournalError) {
    return unavailable('the journal servers that keep the session do not answer this broker');
  }
  if (error instanceof PlacementError || error instanceof RegistryError) {
    return unavailable('the placement center does not answer this broker');
  }
  throw error;
}

function unavailable(why: string): OwnershipAnswer {
  const reason = `${why}: try again, or another broker`;
  return { verdict: 'refuse', reasonCode: ReasonCode.serverUnavailable, reason };
}

/** Somebody else owns it by now. */
export function isFenced(error: unknown): boolean {
  return error instanceof RegistryError && error.fault.code === 'REGISTRY_FENCED';
}
