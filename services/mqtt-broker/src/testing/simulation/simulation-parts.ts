import type { Ledger, Stream } from '@robustmq/campaign';
import type { ClusterWorld } from './cluster-world.ts';
import type { ClientTraits, SimulatedClient } from './simulated-client.ts';

/** What the scripts of one simulation share. */
export interface SimulationParts {
  readonly world: ClusterWorld;
  readonly ledger: Ledger;
  /** @param nodeId  the broker that it connects to, if that serves; null: to any */
  addClient(traits: ClientTraits, nodeId: number | null): SimulatedClient;
  openStream(topic: string, qos: 1 | 2): Stream;
  /** Publishes the next message of the stream. */
  publishNext(client: SimulatedClient, stream: Stream): void;
  say(line: string): void;
  violate(what: string): void;
}
