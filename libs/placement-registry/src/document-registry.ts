/**
 * Anything that has a kind, a name and a content: schemas, rules, connectors, topic rewrites.
 *
 * Key: `documents/{kind}/{name}`. Value: {@link PlacementDocument}; the content is opaque here.
 * Invariant: as for settings, a writer that names a revision overwrites nothing unseen.
 */

import { RecordRegistry } from './record-registry.ts';
import { bytes, fields, text } from './record-shape.ts';
import type { RegistryStore } from './registry-store.ts';

/** One document. */
export interface PlacementDocument {
  readonly kind: string;
  readonly name: string;
  readonly content: Uint8Array;
}

/** The documents of one cluster, by kind and name. */
export function documentRegistry(store: RegistryStore): RecordRegistry<PlacementDocument> {
  return new RecordRegistry(store, {
    registry: 'documents',
    shape: fields<PlacementDocument>({ kind: text, name: text, content: bytes }),
    namesOf: (document) => [document.kind, document.name],
  });
}
