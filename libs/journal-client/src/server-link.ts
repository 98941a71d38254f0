/**
 * One stream to one journal server: it carries the requests of all shards, is opened when it is needed
 * and again after it has ended. A request is never sent twice by the link.
 *
 * Hot: an append costs one encoding, one entry in a map, and a part of the turn's write.
 */
import type { Timers } from '@robustmq/environment';
import {
  calledJournalService,
  type ClientDuplex,
  type JournalCall,
  type JournalOutcome,
  type JournalReply,
  journalRequestsCodec,
  OutgoingBatches,
  type RpcChannel,
  type RpcError,
} from '@robustmq/rpc';

/** What a request hears: one outcome, a tail any number of them; `lost` at most once, as the last. */
export type LinkOutcome =
  | JournalOutcome
  | {
      readonly kind: 'lost';
      /** `no`: the server has not seen the request. */
      readonly sent: 'no' | 'perhaps';
      readonly detail: string;
    };

/** Called in later turns only. */
export type LinkListener = (outcome: LinkOutcome) => void;

/** A request under way. */
export interface LinkRequest {
  /** Nothing more is heard. Idempotent. */
  forget(): void;
  /** Says something about a tail on its stream; nothing if that has ended. */
  say(call: Extract<JournalCall, { readonly kind: 'credit' | 'closeTail' }>): void;
  /** The number that calls name a tail by. */
  readonly id: number;
}

/** How a link is made. */
export interface ServerLinkOptions {
  readonly timers: Timers;
  /** LIMIT: unsentBytesMax. One more request is lost, not sent. */
  readonly unsentBytesMax: number;
}

/** What is asked of one shard. */
export interface ShardRequest {
  readonly shard: string;
  /** 0: as long as the server allows. */
  readonly deadlineMs: number;
  readonly call: JournalCall;
}

/** Where requests are made. */
export interface RequestLink {
  start(request: ShardRequest, listener: LinkListener): LinkRequest;
}

/** A server that may come and go. */
export class ServerLink implements RequestLink {
  readonly #channel: RpcChannel;
  readonly #options: ServerLinkOptions;
  #stream: LinkStream | null = null;
  #isClosed = false;

  constructor(channel: RpcChannel, options: ServerLinkOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** As `host:port`. */
  get address(): string {
    return this.#channel.address;
  }

  start(request: ShardRequest, listener: LinkListener): LinkRequest {
    if (this.#isClosed) return lostAtOnce(this.#options.timers, listener, 'the client is closed');
    if (this.#stream === null || this.#stream.ended) {
      const open = this.#channel.clientOf(calledJournalService).exchange;
      this.#stream = new LinkStream(open({ signal: null, metadata: {} }), this.#options);
    }
    return this.#stream.start(request, listener);
  }

  /** Loses what is under way. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#stream?.abort();
    this.#channel.close();
  }
}

class LinkStream {
  readonly #duplex: ClientDuplex<readonly JournalReply[], Uint8Array>;
  readonly #options: ServerLinkOptions;
  readonly #requests: OutgoingBatches;
  readonly #listeners = new Map<number, LinkListener>();
  #nextId = 1;
  /** Before the server has let the stream in nothing is sent, so that a refusal leaves no doubt. */
  #isAdmitted = false;
  #unsent: { readonly id: number; readonly bytes: Uint8Array }[] = [];
  #unsentBytes = 0;

  constructor(
    duplex: ClientDuplex<readonly JournalReply[], Uint8Array>,
    options: ServerLinkOptions,
  ) {
    this.#duplex = duplex;
    this.#options = options;
    this.#requests = new OutgoingBatches(duplex, options.timers);
    duplex.onAdmitted(() => this.#admit());
    duplex.onMessage((replies) => this.#take(replies));
    duplex.onDrain(() => this.#requests.drained());
    duplex.onEnd((error) => this.#end(error));
  }

  get ended(): boolean {
    return this.#duplex.ended;
  }

  abort(): void {
    this.#duplex.abort();
  }

  start({ shard, deadlineMs, call }: ShardRequest, listener: LinkListener): LinkRequest {
    const unsentBytes = this.#unsentBytes + this.#requests.unsentBytes;
    if (unsentBytes > this.#options.unsentBytesMax) {
      const detail = `${unsentBytes} bytes are not sent yet`;
      return lostAtOnce(this.#options.timers, listener, detail);
    }
    const id = this.#nextId;
    this.#nextId += 1;
    const bytes = journalRequestsCodec.encode([
      { id, shard, deadlineMs: Math.max(0, Math.ceil(deadlineMs)), call },
    ]);
    this.#listeners.set(id, listener);
    if (this.#isAdmitted) this.#requests.add(bytes);
    else {
      this.#unsent.push({ id, bytes });
      this.#unsentBytes += bytes.length;
    }
    return {
      id,
      forget: () => void this.#listeners.delete(id),
      say: (said) => this.#say(said),
    };
  }

  #say(call: JournalCall): void {
    if (!this.#isAdmitted || this.#duplex.ended) return;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#requests.add(journalRequestsCodec.encode([{ id, shard: '', deadlineMs: 0, call }]));
  }

  #admit(): void {
    this.#isAdmitted = true;
    // What was given up meanwhile is not sent: its caller takes it for something that did not happen.
    for (const { id, bytes } of this.#unsent) {
      if (this.#listeners.has(id)) this.#requests.add(bytes);
    }
    this.#unsent = [];
    this.#unsentBytes = 0;
  }

  #take(replies: readonly JournalReply[]): void {
    for (const { id, outcome } of replies) {
      const listener = this.#listeners.get(id);
      if (listener === undefined) continue;
      if (outcome.kind !== 'records' && outcome.kind !== 'changes') this.#listeners.delete(id);
      listener(outcome);
    }
  }

  #end(error: RpcError | null): void {
    const sent = this.#isAdmitted ? 'perhaps' : 'no';
    const detail = error?.message ?? 'the server ended the stream';
    this.#requests.clear();
    this.#unsent = [];
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener({ kind: 'lost', sent, detail });
  }
}

/** For as long as no server is known. */
export function linkToNobody(timers: Timers): RequestLink {
  return {
    start: (_, listener) => lostAtOnce(timers, listener, 'no journal server is known yet'),
  };
}

function lostAtOnce(timers: Timers, listener: LinkListener, detail: string): LinkRequest {
  let isForgotten = false;
  timers.soon(() => {
    if (!isForgotten) listener({ kind: 'lost', sent: 'no', detail });
  });
  return {
    id: 0,
    forget: () => {
      isForgotten = true;
    },
    say: () => {},
  };
}
