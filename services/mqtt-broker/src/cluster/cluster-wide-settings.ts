import type { ClusterSetting, RegistryBatch } from '@robustmq/placement-registry';
import { log, logEvents } from '@robustmq/telemetry';
import { clusterWideKey } from '../configuration/cluster-wide-keys.ts';
import type { BrokerSettings } from '../settings.ts';
import type { ClusterEdges } from './cluster-edges.ts';

/**
 * What is set in the placement center for all brokers: it goes before the file of this one, from the moment
 * in which it is heard of, and the file counts again when it is taken back. What this broker does not
 * understand, perhaps because it is an older one, is told in the log and changes nothing.
 */
export class ClusterWideSettings {
  readonly #edges: ClusterEdges;
  /** As its file says. */
  readonly #own: BrokerSettings;
  readonly #set = new Map<string, string>();

  constructor(edges: ClusterEdges) {
    this.#edges = edges;
    this.#own = edges.context.settings;
  }

  apply(batch: RegistryBatch<ClusterSetting>, extent: 'whole' | 'changes'): void {
    if (extent === 'whole') this.#set.clear();
    for (const change of batch.changes) {
      const names = change.kind === 'put' ? change.stored.names : change.names;
      const name = names.join('.');
      if (change.kind !== 'put') this.#set.delete(name);
      else this.#set.set(name, new TextDecoder().decode(change.stored.value.content));
    }
    if (batch.changes.length > 0 || this.#edges.context.settings !== this.#own) this.#applyAll();
  }

  #applyAll(): void {
    const { context, settings: place } = this.#edges;
    let settings = this.#own;
    const applied: string[] = [];
    for (const [name, text] of this.#set) {
      const outcome = clusterWideKey(name)?.apply(settings, text) ?? null;
      if (outcome?.ok !== true) {
        const expected = outcome === null ? 'a key that this broker knows' : outcome.fault.expected;
        const error = new Error(`${name} = ${JSON.stringify(text)}: expected ${expected}`);
        this.#edges.failed('applying a setting of the cluster', error);
        continue;
      }
      settings = outcome.value;
      applied.push(name);
    }
    context.applySettings(settings);
    const { nodeId } = place;
    log(context.logger, logEvents.clusterSettings, { nodeId, applied: applied.join(', ') });
  }
}
