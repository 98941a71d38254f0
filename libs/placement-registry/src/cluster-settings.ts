/**
 * Configuration that belongs to the cluster and not to one process.
 *
 * Key: `settings/{name}/{name}…`, the path of the resource, such as `settings/mqtt/protocol`.
 * Value: {@link ClusterSetting}; the content is opaque here.
 * Invariant: a writer that names the revision it read does not overwrite what it has not seen.
 */

import { RecordRegistry } from './record-registry.ts';
import { bytes, fields, listOf, text } from './record-shape.ts';
import type { RegistryStore } from './registry-store.ts';

/** What is set for one resource. */
export interface ClusterSetting {
  /** From the outermost name on; not empty. */
  readonly resource: readonly string[];
  readonly content: Uint8Array;
}

/** The settings of one cluster, by resource. */
export function clusterSettings(store: RegistryStore): RecordRegistry<ClusterSetting> {
  return new RecordRegistry(store, {
    registry: 'settings',
    shape: fields<ClusterSetting>({ resource: listOf(text), content: bytes }),
    namesOf: (setting) => setting.resource,
  });
}
