import { type CallOptions, PlacementError, type WatchBatch } from '@robustmq/placement';
import {
  defaultPipelineClientLimits,
  openChannel,
  PipelineClient,
  type PipelineCall,
  type PipelineOutcome,
  placementFaultOf,
  type RpcChannel,
  type RpcChannelOptions,
  watchBatchesOf,
  watchService,
} from '@robustmq/rpc';
import type { PlacementServer, ResumedWatch } from './placement-server.ts';

/** One server of the placement center: a connection, a stream for the calls, one for each watch. */
export class GrpcServer implements PlacementServer {
  readonly address: string;
  readonly #channel: RpcChannel;
  readonly #calls: PipelineClient;

  constructor(options: RpcChannelOptions) {
    this.address = options.address;
    this.#channel = openChannel(options);
    this.#calls = new PipelineClient(this.#channel, defaultPipelineClientLimits);
  }

  call(call: PipelineCall, options: CallOptions): Promise<PipelineOutcome> {
    return this.#calls.call(call, options);
  }

  async *follow(request: ResumedWatch, signal: AbortSignal): AsyncGenerator<WatchBatch, void> {
    const { watch } = this.#channel.clientOf(watchService);
    const messages = watch(request, { signal, metadata: {} });
    let isFirst = true;
    try {
      for await (const batch of watchBatchesOf(messages)) {
        // The first message only tells where the watch begins.
        if (!isFirst) yield batch;
        isFirst = false;
      }
    } catch (error) {
      throw new PlacementError(placementFaultOf(error, 'reads'), { cause: error });
    }
  }

  close(): void {
    this.#calls.close();
    this.#channel.close();
  }
}
