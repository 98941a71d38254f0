import type { ClientConnection } from '../connection/client-connection.ts';
import { SessionCursor } from './session-cursor.ts';

const PUBACK = 0x40;
const PUBREC = 0x50;

/** What an acknowledgement vouches for, besides its place behind those before it. */
export const Vouches = {
  /** A message of this broker's, which may still be refused. */
  message: 0,
  /** A message that came before: its receipt says by then whether it was taken. */
  repeated: 1,
  nothing: 2,
} as const;
export type Vouches = (typeof Vouches)[keyof typeof Vouches];

/** One acknowledgement that waits for the commit of what it vouches for, see `AcknowledgementLanes`. */
export class WaitingAcknowledgement {
  readonly connection: ClientConnection;
  readonly header: number;
  readonly identifier: number;
  readonly reasonCode: number;
  readonly #vouches: Vouches;
  /** Appends and writes that it waits for. */
  needs = 0;
  #isRefused = false;

  constructor(
    connection: ClientConnection,
    header: number,
    what: {
      readonly identifier: number;
      readonly reasonCode: number;
      readonly vouches: Vouches;
    },
  ) {
    this.connection = connection;
    this.header = header;
    this.identifier = what.identifier;
    this.reasonCode = what.reasonCode;
    this.#vouches = what.vouches;
    connection.waitingAcknowledgements += 1;
    if (header === PUBACK) connection.waitingPubacks += 1;
    if (this.#hasReceipt) this.#cursor?.receiptPending(this.identifier);
  }

  /** The outcome of its message: called in the turn in which the shard says so, before anything else. */
  decided(isCommitted: boolean): void {
    this.needs -= 1;
    if (!isCommitted) this.#isRefused = true;
    // One that was refused stays in doubt until the client is told: no record may say it was taken.
    else if (this.#hasReceipt) this.#cursor?.receiptDecided(this.identifier);
  }

  /**
   * Says it, or that it was refused; a session that was taken over says nothing more.
   *
   * @returns true when a receipt was withdrawn: the session's record may have it
   */
  say(): boolean {
    const { connection, header, identifier } = this;
    connection.waitingAcknowledgements -= 1;
    if (header === PUBACK) connection.waitingPubacks -= 1;
    const cursor = this.#cursor;
    const isRefused =
      this.#vouches === Vouches.repeated
        ? connection.session?.receipts.has(identifier) !== true
        : this.#isRefused;
    if (isRefused) {
      if (this.#hasReceipt) cursor?.receiptDecided(identifier);
      connection.refuseMessage(header, identifier);
      return cursor !== null;
    }
    if (cursor === null || cursor.isOurs) {
      connection.writeAcknowledgementWithReason(header, identifier, this.reasonCode);
    }
    return false;
  }

  get #hasReceipt(): boolean {
    return this.header === PUBREC && this.#vouches === Vouches.message;
  }

  get #cursor(): SessionCursor | null {
    const consumer = this.connection.session?.consumer;
    return consumer instanceof SessionCursor ? consumer : null;
  }
}
