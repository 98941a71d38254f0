/** The tails of one stream. */
import type { JournalCall, JournalOutcome, JournalReplyFault } from '@robustmq/rpc';
import type { OpenReplica } from './replica-ports.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { absent, invalid, notLeading } from './fault-of.ts';
import { ServedKeyedTail } from './served-keyed-tail.ts';
import { ServedTail, type TailPort } from './served-tail.ts';
import { selectorOf } from './wire-selector.ts';

/** LIMIT: tailsMax (of one stream) */
const tailsMax = 10_000;

/** Asks for a tail. */
export type TailCall = Extract<JournalCall, { readonly kind: 'openTail' | 'openKeyedTail' }>;

/** The stream. */
export interface TailStream {
  send(id: number, outcome: JournalOutcome): void;
  faultOf(error: unknown): JournalReplyFault;
}

interface OpenTail {
  readonly tail: ServedTail | ServedKeyedTail;
  readonly changes: { stop(): void };
}

/** Each by the id of the request that opened it. */
export class StreamTails {
  readonly #host: ExchangeHost;
  readonly #stream: TailStream;
  readonly #open = new Map<number, OpenTail>();

  constructor(host: ExchangeHost, stream: TailStream) {
    this.#host = host;
    this.#stream = stream;
  }

  open(id: number, call: TailCall, open: OpenReplica): void {
    const { directory } = this.#host;
    const refuse = (fault: JournalReplyFault): void =>
      this.#stream.send(id, { kind: 'fault', fault });
    if (this.#open.has(id)) return refuse(invalid(`a tail with the id ${String(id)} is open`));
    if (this.#open.size >= tailsMax) {
      return refuse({ code: 'JOURNAL_TRY_AGAIN', detail: `${tailsMax} tails are open` });
    }
    if (!open.isLeader()) return refuse(notLeading(open, directory));
    const tail = this.#tailOf(id, call, open);
    if (typeof tail === 'string') return refuse(invalid(tail));
    const changes = open.onChange(() => {
      if (open.isClosed()) this.#fail(id, absent('the shard'));
      else if (!open.isLeader()) this.#fail(id, notLeading(open, directory));
    });
    this.#open.set(id, { tail, changes });
    this.#host.counters.tails += 1;
    tail.begin();
  }

  addCredit(id: number, bytes: number): void {
    this.#open.get(id)?.tail.addCredit(bytes);
  }

  close(id: number): void {
    const found = this.#open.get(id);
    if (found === undefined) return;
    this.#open.delete(id);
    this.#host.counters.tails -= 1;
    found.changes.stop();
    found.tail.close();
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id);
  }

  #fail(id: number, fault: JournalReplyFault): void {
    if (!this.#open.has(id)) return;
    this.close(id);
    this.#stream.send(id, { kind: 'fault', fault });
  }

  #tailOf(id: number, call: TailCall, open: OpenReplica): ServedTail | ServedKeyedTail | string {
    const port: TailPort = {
      timers: this.#host.timers,
      send: (outcome) => this.#stream.send(id, outcome),
      failed: (fault) => this.#fail(id, fault),
      faultOf: (error) => this.#stream.faultOf(error),
    };
    if (call.kind === 'openKeyedTail') {
      if (open.kind !== 'keyed') return 'the shard holds messages, not keys';
      return new ServedKeyedTail(open.replica.openTail(call.after), call.creditBytes, port);
    }
    if (open.kind !== 'messages') return 'the shard holds keys, not messages';
    const selector = selectorOf(call.selector);
    if (typeof selector === 'string') return selector;
    const { from, creditBytes } = call;
    return new ServedTail(open.replica, { from, selector, creditBytes }, port);
  }
}
