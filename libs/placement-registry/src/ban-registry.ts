/**
 * Who may not connect, whatever else is allowed.
 *
 * Key: `bans/{kind}/{name}`. Value: {@link Ban}. A ban that is over is removed by the `expiredRecords`
 * controller; until then readers compare the time themselves.
 */

import { RecordRegistry } from './record-registry.ts';
import { count, fields, oneOf, orNull, text } from './record-shape.ts';
import type { RegistryStore } from './registry-store.ts';

/** What a ban names. */
export const BAN_KINDS = [
  'user',
  'clientId',
  'address',
  'userMatch',
  'clientIdMatch',
  'network',
] as const;

/** One ban. */
export interface Ban {
  readonly kind: (typeof BAN_KINDS)[number];
  /** The name, address, pattern or network. */
  readonly name: string;
  /** Milliseconds since 1970; null: for ever. */
  readonly untilMs: number | null;
  /** For people. */
  readonly reason: string;
}

/** The bans of one cluster, by kind and name. */
export function banRegistry(store: RegistryStore): RecordRegistry<Ban> {
  return new RecordRegistry(store, {
    registry: 'bans',
    shape: fields<Ban>({
      kind: oneOf(BAN_KINDS),
      name: text,
      untilMs: orNull(count),
      reason: text,
    }),
    namesOf: (ban) => [ban.kind, ban.name],
  });
}
