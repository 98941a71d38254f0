/**
 * One watch over connections that come and go.
 *
 * It resumes from the revision after the last batch that was delivered as a whole, on whatever server
 * answers; the events of a batch of which a part came are asked for again. So nothing is missed and
 * nothing comes twice. Nothing is buffered here: a consumer that does not ask for the next batch stops
 * the stream by its flow control, and the server feeds it from the history later.
 */

import {
  PlacementError,
  type PlacementFault,
  type Revision,
  type Watch,
  type WatchBatch,
  type WatchRequest,
} from '@robustmq/placement';
import { Backoff } from '@robustmq/rpc';
import { type ClientEnvironment, pauseUnless } from './remote-calls.ts';
import type { PlacementServer, PlacementServers } from './placement-server.ts';

/** What a watch needs of its client. */
export interface RemoteWatchHost extends ClientEnvironment {
  readonly servers: PlacementServers;
  /** The revision after the newest of the store. */
  nextRevision(signal: AbortSignal): Promise<Revision>;
  /** The watch is over. */
  ended(watch: RemoteWatch): void;
}

const PAUSES = { firstMs: 20, longestMs: 1_000 };

/** Iterated once, by one consumer. */
export class RemoteWatch implements Watch {
  readonly #request: WatchRequest;
  readonly #host: RemoteWatchHost;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  /** The next revision to ask for. Asked for at once, so that what is put after `watch` is seen. */
  #from: Revision | Promise<Revision>;
  #isClosed = false;

  constructor(request: WatchRequest, host: RemoteWatchHost) {
    this.#request = request;
    this.#host = host;
    this.#backoff = new Backoff(PAUSES, host.random);
    this.#from = request.from ?? host.nextRevision(this.#stop.signal);
    // Who iterates hears of a failure; without anybody it is nobody's.
    if (this.#from instanceof Promise) this.#from.catch(() => undefined);
  }

  cancel(): void {
    this.#stop.abort();
    this.#host.ended(this);
  }

  /** The client is closed: the iteration ends with PLACEMENT_CLOSED. */
  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#isClosed = true;
    this.cancel();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchBatch, void, undefined> {
    try {
      while (!this.#stop.signal.aborted) {
        yield* this.#follow(await this.#begin());
        if (this.#stop.signal.aborted) break;
        await pauseUnless([this.#stop.signal], this.#backoff.nextMs(), this.#host.timers);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.cancel();
    }
    if (this.#isClosed) throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
  }

  async #begin(): Promise<Revision> {
    for (;;) {
      try {
        this.#from = await this.#from;
        return this.#from;
      } catch (error) {
        const code = error instanceof PlacementError ? error.fault.code : null;
        if (code !== 'PLACEMENT_UNAVAILABLE' || this.#stop.signal.aborted) throw error;
        // Nothing was told yet, so the watch may as well begin later.
        this.#from = this.#host.nextRevision(this.#stop.signal);
      }
    }
  }

  /** Over one connection, until it is lost. @throws PlacementError when another one does not help */
  async *#follow(first: Revision): AsyncGenerator<WatchBatch, void, undefined> {
    const server = this.#host.servers.current();
    const request = { ...this.#request, from: first };
    try {
      for await (const batch of server.follow(request, this.#stop.signal)) {
        this.#from = (batch.revision + 1) as Revision;
        this.#backoff.reset();
        yield batch;
      }
      // The server stops: what is next is asked of another one.
      this.#host.servers.passOver(server);
    } catch (error) {
      if (!(error instanceof PlacementError)) throw error;
      this.#leave(server, error.fault);
    }
  }

  #leave(server: PlacementServer, fault: PlacementFault): void {
    switch (fault.code) {
      case 'PLACEMENT_NOT_LEADER':
        this.#host.servers.followLeader(server, fault.leader);
        return;
      case 'PLACEMENT_UNAVAILABLE':
      case 'PLACEMENT_OVERLOADED':
      case 'PLACEMENT_OUTCOME_UNKNOWN':
      case 'PLACEMENT_CLOSED':
        this.#host.servers.passOver(server);
        return;
      default:
        throw new PlacementError(fault);
    }
  }
}
