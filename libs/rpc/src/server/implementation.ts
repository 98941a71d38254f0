/** What a service writes to serve a contract. */
import type {
  DuplexMethod,
  ServerStreamMethod,
  ServiceContract,
  UnaryMethod,
} from '../contract/method.ts';
import type { DuplexCall } from '../duplex-call.ts';

/** The call under way. */
export interface CallContext {
  /** Such as `/robustmq.placement.v1.KvService/Range`. */
  readonly method: string;
  /** The address and port of the other side. */
  readonly peer: string;
  /** Milliseconds left when the call began; Infinity for a stream without a deadline. */
  readonly deadlineMs: number;
  /** Aborted when the client has gone away, the deadline has passed or the server was stopped. */
  readonly signal: AbortSignal;
  /** Aborted when the server drains: calls under way finish, streams end soon. */
  readonly closing: AbortSignal;
  /** The first value of a metadata key, in lower case; null when there is none. */
  metadata(key: string): string | null;
}

/**
 * Handlers throw `PlacementError` or `RpcError`; anything else is a mistake, which the client sees as
 * INTERNAL without its words.
 */
export type MethodImplementation<Method> =
  Method extends UnaryMethod<infer Request, infer Reply>
    ? (request: Request, context: CallContext) => Promise<Reply>
    : Method extends ServerStreamMethod<infer Request, infer Reply>
      ? (request: Request, context: CallContext) => AsyncIterable<Reply>
      : Method extends DuplexMethod<infer Request, infer Reply>
        ? (call: DuplexCall<Request, Reply>, context: CallContext) => void
        : never;

/** One function for each method. */
export type Implementation<Methods> = {
  readonly [Name in keyof Methods]: MethodImplementation<Methods[Name]>;
};

/** A service and who serves it, for `openRpcServer`. */
export interface MountedService {
  readonly contract: ServiceContract<object>;
  readonly implementation: object;
}

/** Joins a contract and what serves it. */
export function mount<Methods extends object>(
  contract: ServiceContract<Methods>,
  implementation: Implementation<Methods>,
): MountedService {
  return { contract, implementation };
}
