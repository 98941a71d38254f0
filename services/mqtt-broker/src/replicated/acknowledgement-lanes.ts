import type { ClientSession } from '../session/client-session.ts';
import type { WaitingAcknowledgement } from './waiting-acknowledgement.ts';

/** So many that were said are forgotten at once, in a lane that is never empty. */
const FORGET_AT = 1024;

interface Lane {
  readonly waiting: WaitingAcknowledgement[];
  /** Those before it are said. */
  first: number;
  readonly drained: (() => void)[];
}

/**
 * Acknowledgements in the order of their packets, session by session (MQTT-5.0 [MQTT-4.6.0-2],
 * [MQTT-4.6.0-3]): one waits for what it vouches for and for those before it in its lane, and for nobody
 * else's. So a shard without a leader holds up the clients that publish to it, and no others.
 *
 * LIMIT: receiveMaximum, for each connection
 */
export class AcknowledgementLanes {
  readonly #lanes = new Map<ClientSession, Lane>();
  /** Told of a session whose receipt was withdrawn. */
  readonly #withdrawn: (session: ClientSession) => void;

  constructor(withdrawn: (session: ClientSession) => void) {
    this.#withdrawn = withdrawn;
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  /** Said at once, if nothing is left to wait for. */
  add(session: ClientSession, acknowledgement: WaitingAcknowledgement): void {
    const lane = this.#lanes.get(session) ?? { waiting: [], first: 0, drained: [] };
    lane.waiting.push(acknowledgement);
    this.#lanes.set(session, lane);
    if (acknowledgement.needs === 0) this.#say(session, lane);
  }

  /** Something that it waited for is there. */
  goOn({ connection: { session }, needs }: WaitingAcknowledgement): void {
    const lane = session === null ? undefined : this.#lanes.get(session);
    if (needs === 0 && session !== null && lane !== undefined) this.#say(session, lane);
  }

  /** Runs `then` once every acknowledgement of the session up to now is said. */
  afterAll(session: ClientSession, then: () => void): void {
    const lane = this.#lanes.get(session);
    if (lane === undefined) then();
    else lane.drained.push(then);
  }

  #say(session: ClientSession, lane: Lane): void {
    const { waiting } = lane;
    while (lane.first < waiting.length) {
      const next = waiting[lane.first] as WaitingAcknowledgement;
      if (next.needs > 0) return;
      lane.first += 1;
      if (lane.first === FORGET_AT) forgetSaid(lane);
      if (next.say()) this.#withdrawn(session);
    }
    if (this.#lanes.get(session) === lane) this.#lanes.delete(session);
    for (const then of lane.drained.splice(0)) then();
  }
}

function forgetSaid(lane: Lane): void {
  lane.waiting.splice(0, lane.first);
  lane.first = 0;
}
