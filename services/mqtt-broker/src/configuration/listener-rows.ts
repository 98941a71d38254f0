import { choiceKey, integerKey, textKey } from '@robustmq/config';
import type { KeyDeclaration, RowsDeclaration } from '@robustmq/config';
import { listenerTraitKeys } from './network-section.ts';
import type { ListenerTraits } from './network-section.ts';

/** One `[[listener]]`: its own name, kind and port; what else it leaves out is that of `[network]`. */
export interface ListenerRow extends Partial<ListenerTraits> {
  readonly name: string;
  readonly kind: 'tcp' | 'tls' | 'websocket' | 'websocket-tls';
  readonly port: number;
}

export const listenerRows: RowsDeclaration<ListenerRow> = {
  kind: 'rows',
  name: 'listener',
  meaning:
    'More listeners: one table each, as often as wanted, besides those of [network]. What a table leaves out is taken from [network].',
  required: ['name', 'kind', 'port'],
  keys: {
    name: textKey({
      default: 'inside',
      allowEmpty: false,
      meaning: 'The name in logs, metrics and access rules; unique among all listeners.',
      reason: '',
    }),
    kind: choiceKey({
      default: 'tcp',
      choices: ['tcp', 'tls', 'websocket', 'websocket-tls'],
      spellings: {
        tcps: 'tls',
        ws: 'websocket',
        wss: 'websocket-tls',
        websockets: 'websocket-tls',
      },
      meaning: 'What it speaks below MQTT.',
      reason: '',
    }),
    port: integerKey({
      default: 1884,
      minimum: 0,
      maximum: 65535,
      meaning: 'The port. 0 lets the system choose.',
      reason: '',
      unit: 'port',
    }),
    ...withoutAliases(listenerTraitKeys),
  },
};

/** Aliases are paths from the root and do not apply to a row. */
function withoutAliases(keys: typeof listenerTraitKeys): typeof listenerTraitKeys {
  const entries = Object.entries(keys) as readonly (readonly [string, KeyDeclaration<unknown>])[];
  // Same names and same declarations, but for the aliases.
  return Object.fromEntries(
    entries.map(([name, key]) => [name, { ...key, aliases: [] }]),
  ) as unknown as typeof listenerTraitKeys;
}
