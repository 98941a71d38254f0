/** What happens to every call before its handler: the token is checked, the end is observed. */
import {
  type Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import { systemClock } from '@robustmq/environment';
import { tokenCheck } from '../cluster-token.ts';
import { faultStatus } from '../fault-status.ts';
import type { RpcStatus } from '../rpc-error.ts';

/** Told of what a server does; for metrics and logs. Must not throw. */
export interface RpcObserver {
  /** A call has begun: one more under way. */
  callBegan(method: string): void;
  /** A call has ended, once for each that began; streams too. */
  callEnded(end: CallEnd): void;
  /** A handler failed in a way that no client may see: a mistake of ours. */
  handlerFailed(method: string, error: unknown): void;
}

/** How one call ended. */
export interface CallEnd {
  readonly method: string;
  readonly status: RpcStatus;
  readonly durationMs: number;
  readonly peer: string;
}

/** For whoever does not want to know. */
export const silentObserver: RpcObserver = {
  callBegan: () => {},
  callEnded: () => {},
  handlerFailed: () => {},
};

/** @param openPrefix  of the paths that need no token */
export function admission(
  token: string | null,
  openPrefix: string,
  observer: RpcObserver,
): ServerInterceptor {
  const check = token === null ? null : tokenCheck(token);
  return (method, call) => {
    const { path } = method;
    const beganMs = systemClock.monotonicMs();
    let over = false;
    observer.callBegan(path);
    const end = (code: RpcStatus): void => {
      if (over) return;
      over = true;
      const durationMs = systemClock.monotonicMs() - beganMs;
      observer.callEnded({ method: path, status: code, durationMs, peer: call.getPeer() });
    };
    const isAdmitted = (metadata: Metadata): boolean =>
      check === null || path.startsWith(openPrefix) || check(metadata);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (isAdmitted(metadata)) {
          next(metadata);
          return;
        }
        const refused = faultStatus({
          code: 'PLACEMENT_UNAUTHENTICATED',
          detail: 'the cluster token is missing or wrong',
        });
        end(refused.code);
        call.sendStatus(refused);
      })
      .withOnCancel(() => end(status.CANCELLED))
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((sent, next) => {
        end(sent.code ?? status.UNKNOWN);
        next(sent);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}
