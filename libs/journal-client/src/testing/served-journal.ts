/** Journal servers and clients on the loopback that end with their test. */
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { SharedJournal } from '@robustmq/journal';
import { defaultServerLimits, openRpcServer, type RpcServer, silentObserver } from '@robustmq/rpc';
import { defaultJournalClientLimits, type JournalClientLimits } from '../client-environment.ts';
import { connectJournal } from '../connect-journal.ts';
import { newExchangeCounters } from '../server/exchange-host.ts';
import type { OpenReplica } from '../server/replica-ports.ts';
import { journalExchange } from '../server/serve-exchange.ts';
import { staticPlaces } from '../shard-places.ts';

const HOST = '127.0.0.1';

/** Some nodes, each with its replicas, by `namespace/shard`. */
export class ServedJournal {
  readonly mistakes: unknown[] = [];
  readonly #replicasOn: (node: number, shard: string) => OpenReplica | null;
  readonly #servers = new Map<number, RpcServer>();
  readonly #addresses = new Map<number, string>();
  readonly #cleanups: (() => Promise<void>)[] = [];

  constructor(replicasOn: (node: number, shard: string) => OpenReplica | null) {
    this.#replicasOn = replicasOn;
  }

  get addresses(): readonly string[] {
    return [...this.#addresses.values()];
  }

  async serve(node: number): Promise<void> {
    const known = this.#addresses.get(node);
    const server = await openRpcServer({
      host: HOST,
      port: known === undefined ? 0 : Number(known.slice(HOST.length + 1)),
      tls: null,
      clusterToken: null,
      services: [
        journalExchange({
          directory: {
            replicaOf: (shard) => this.#replicasOn(node, shard),
            addressOf: (other) => this.#addresses.get(other) ?? null,
          },
          timers: systemTimers,
          counters: newExchangeCounters(),
          reportMistake: (error) => this.mistakes.push(error),
        }),
      ],
      limits: defaultServerLimits,
      observer: silentObserver,
    });
    this.#servers.set(node, server);
    this.#addresses.set(node, `${HOST}:${server.port}`);
  }

  /** Cuts every connection to a node. */
  async kill(node: number): Promise<void> {
    await this.#servers.get(node)?.close(0);
    this.#servers.delete(node);
  }

  connect(limits: Partial<JournalClientLimits> = {}): SharedJournal {
    const journal = connectJournal({
      places: staticPlaces(this.addresses),
      namespace: 'test',
      tls: null,
      token: null,
      limits: { ...defaultJournalClientLimits, ...limits },
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    });
    this.#cleanups.push(() => journal.close());
    return journal;
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0)) await cleanup();
    for (const node of [...this.#servers.keys()]) await this.kill(node);
  }
}
