import type { CallOptions, Revision, WatchBatch, WatchRequest } from '@robustmq/placement';
import type { PipelineCall, PipelineOutcome } from '@robustmq/rpc';

/** One place that carries out calls, each once: nothing is repeated here. */
export interface PlacementServer {
  /** As `host:port`, for people and for telling one from another. */
  readonly address: string;
  /** @returns the outcome of the kind of the call, never a fault @throws PlacementError */
  call(call: PipelineCall, options: CallOptions): Promise<PipelineOutcome>;
  /**
   * Batches from `from` on, while the connection lasts; returns when the server stops, or when `signal`
   * is aborted.
   *
   * @throws PlacementError from the iteration
   */
  follow(request: ResumedWatch, signal: AbortSignal): AsyncIterable<WatchBatch>;
}

/** A watch that knows where it is. */
export interface ResumedWatch extends WatchRequest {
  readonly from: Revision;
}

/** Which server to ask next. */
export interface PlacementServers {
  /** Those that were given, for people. */
  readonly addresses: readonly string[];
  current(): PlacementServer;
  /** `server` said who leads. @returns whether that is worth asking at once */
  followLeader(server: PlacementServer, leader: string | null): boolean;
  /** `server` does not answer, or cannot help: another one is next, unless one is already. */
  passOver(server: PlacementServer): void;
  close(): void;
}
