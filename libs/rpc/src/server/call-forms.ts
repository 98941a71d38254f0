/** Joins the three forms of handlers to grpc-js: what each does with errors, deadlines and a slow client. */
import { once } from 'node:events';
import {
  Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { systemTimers } from '@robustmq/environment';
import { PlacementError } from '@robustmq/placement';
import type { Codec } from '../contract/method.ts';
import type { DuplexCall } from '../duplex-call.ts';
import { faultStatus, sentStatus, type SentStatus } from '../fault-status.ts';
import { MalformedMessageError } from '../wire/protobuf-reader.ts';
import type { CallContext } from './implementation.ts';
import { type GrpcCall, IncomingCall } from './incoming-call.ts';
import { ServerDuplex } from './server-duplex.ts';

/** What the forms need of their server. */
export interface CallHost {
  readonly closing: AbortSignal;
  readonly unaryDeadlineMsMax: number;
  readonly messageBytesMax: number;
  /** Told of errors that clients see as INTERNAL. */
  mistake(method: string, error: unknown): void;
}

/** A message, or why it is none: telling so is up to the handler's form. */
export type Received<Message> = Message | MalformedMessageError;

/** Answers with the handler's value, unless the deadline comes first. */
export function unaryForm(
  handler: (request: unknown, context: CallContext) => Promise<unknown>,
  codec: Codec<unknown>,
  host: CallHost,
): (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<Uint8Array>) => void {
  return (call, callback) => {
    if (call.request instanceof MalformedMessageError) {
      callback(statusFor(call.request, call.getPath(), host));
      return;
    }
    const context = new IncomingCall(call as GrpcCall, host.closing, host.unaryDeadlineMsMax);
    let answered = false;
    const answer: sendUnaryData<Uint8Array> = (error, reply) => {
      if (answered) return;
      answered = true;
      timer.cancel();
      callback(error, reply);
    };
    const timer = systemTimers.after(context.deadlineMs, () => {
      context.abort();
      answer(DEADLINE_PASSED);
    });
    call.on('cancelled', () => timer.cancel());
    const run = async (): Promise<Uint8Array> => {
      const reply = await handler(call.request, context);
      return withinLimit(codec.encode(reply), host);
    };
    run().then(
      (reply) => answer(null, reply),
      (error: unknown) => answer(statusFor(error, context.method, host)),
    );
  };
}

const DEADLINE_PASSED: SentStatus = {
  code: status.DEADLINE_EXCEEDED,
  details: 'the deadline has passed on the server',
  metadata: new Metadata(),
};

/** What was done cannot be told: grpc-js would say so with a status that means that nothing was. */
function withinLimit(bytes: Uint8Array, { messageBytesMax }: CallHost): Uint8Array {
  if (bytes.length <= messageBytesMax) return bytes;
  const detail = `the reply of ${bytes.length} bytes exceeds ${messageBytesMax}`;
  throw new PlacementError({ code: 'PLACEMENT_OUTCOME_UNKNOWN', detail });
}

/** Writes what the handler yields, as fast as the client takes it. */
export function serverStreamForm(
  handler: (request: unknown, context: CallContext) => AsyncIterable<unknown>,
  host: CallHost,
): (call: ServerWritableStream<unknown, unknown>) => void {
  return (call) => {
    const context = new IncomingCall(call as GrpcCall, host.closing, Infinity);
    const run = async (): Promise<void> => {
      if (call.request instanceof MalformedMessageError) throw call.request;
      await writeAll(call, handler(call.request, context), context);
      call.end();
    };
    run().catch((error: unknown) => {
      if (!context.signal.aborted) call.emit('error', statusFor(error, context.method, host));
    });
  };
}

async function writeAll(
  call: ServerWritableStream<unknown, unknown>,
  replies: AsyncIterable<unknown>,
  context: CallContext,
): Promise<void> {
  for await (const reply of replies) {
    if (context.signal.aborted) return;
    if (call.write(reply)) continue;
    await once(call, 'drain', { signal: context.signal });
  }
}

/** Gives the handler the call. */
export function duplexForm(
  handler: (call: DuplexCall<unknown, unknown>, context: CallContext) => void,
  reply: Codec<unknown>,
  host: CallHost,
): (call: ServerDuplexStream<unknown, unknown>) => void {
  return (call) => {
    const context = new IncomingCall(call as GrpcCall, host.closing, Infinity);
    const tell = (error: unknown): SentStatus => statusFor(error, context.method, host);
    const duplex = new ServerDuplex(call, reply, tell);
    try {
      handler(duplex, context);
      duplex.admit();
    } catch (error) {
      duplex.abort(error);
    }
  };
}

function statusFor(error: unknown, method: string, host: CallHost): SentStatus {
  if (error instanceof MalformedMessageError) {
    return faultStatus({ code: 'PLACEMENT_INVALID', detail: error.message });
  }
  const known = sentStatus(error);
  if (known !== null) return known;
  host.mistake(method, error);
  return { code: status.INTERNAL, details: 'internal error', metadata: new Metadata() };
}
