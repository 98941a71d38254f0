import { ReasonCode } from '@robustmq/mqtt-codec';
import type { Timers } from '@robustmq/environment';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import type { BrokerLog, LogGauges, LogRefusal } from '../durable/broker-log.ts';
import { NO_PLACE } from './ownership-answers.ts';

/** For metrics: nothing is open. */
const NO_GAUGES: LogGauges = {
  name: 'mqtt',
  bytes: 0,
  segments: 0,
  oldest: 0,
  committed: 0,
  next: 0,
  appendedRecords: 0,
  flushes: 0,
};

/**
 * The log of a broker between two lives in its cluster: it has no name to append under, so whatever would
 * have to be durable is refused, and the rest goes on.
 */
export class RefusingLog implements BrokerLog {
  readonly full = true;
  readonly backlogBytes = 0;
  readonly isSettled = true;
  readonly batchIsLarge = false;
  readonly bringsRetained = true;
  readonly refusal: LogRefusal = {
    reasonCode: ReasonCode.implementationSpecificError,
    reason: `${NO_PLACE}: try again, or another broker`,
  };
  readonly gauges: LogGauges = NO_GAUGES;
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  hasRoomFor(): boolean {
    return false;
  }

  append(): void {
    // Only QoS 0 comes here, to be retained: it is not.
  }

  deliverDirect(): void {
    // No session of this broker is durable now.
  }

  /** What came before was not acknowledged and is not known to be written: the client asks again. */
  acknowledge(connection: ClientConnection, header: number, identifier: number): void {
    connection.withholdAcknowledgement(header, identifier);
  }

  /** With those that it has. */
  afterRetained(then: () => void): void {
    then();
  }

  afterCommit(then: (committed: boolean) => void): void {
    this.#timers.soon(() => then(false));
  }

  async nextCommit(): Promise<void> {
    // Nothing is under way.
  }

  async settle(): Promise<void> {
    // As above.
  }

  flush(): void {
    // As above.
  }

  async readAt(): Promise<null> {
    return null;
  }

  subscriptionStart(): number {
    return 0;
  }

  exchange(): void {
    // The sessions that had some are gone.
  }

  sessionMade(): void {
    // It stays without a reader; its CONNECT is refused when `afterCommit` says so.
  }

  termsChanged(): void {
    // As `exchange`.
  }

  subscriptionChanged(): void {
    // As `exchange`.
  }

  detached(): void {
    // As `exchange`.
  }

  sessionEnded(): void {
    // As `exchange`.
  }

  willChanged(): void {
    // The placement center has it.
  }
}

/** From now on nothing is durable here: whoever waits for an acknowledgement does so in vain. */
export function refuseFromNowOn(context: BrokerContext): void {
  context.log = new RefusingLog(context.timers);
  for (const connection of [...context.connections]) {
    if (connection.waitingAcknowledgements > 0) {
      connection.close(ReasonCode.serverBusy, NO_PLACE);
    }
  }
}
