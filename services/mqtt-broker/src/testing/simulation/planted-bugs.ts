import { InterestBarrier } from '../../cluster/interest-barrier.ts';
import { StoredWills } from '../../cluster/stored-wills.ts';
import { AcknowledgementLanes } from '../../replicated/acknowledgement-lanes.ts';
import { DurableSessionRegistry } from '../../replicated/durable-session-registry.ts';
import { ReplicatedLog } from '../../replicated/replicated-log.ts';
import { RepeatedPublishes } from '../../replicated/repeated-publishes.ts';
import { SessionCursor } from '../../replicated/session-cursor.ts';

/** A mistake put into the product's own classes, for every broker of this process. */
export interface PlantedBug {
  readonly name: string;
  /** @returns what takes it out again */
  plant(): () => void;
}

/** Mistakes that prove the simulation: each breaks a promise that the cluster gives. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'acknowledged before the append',
    plant: () =>
      replace(AcknowledgementLanes.prototype, 'add', (original) => {
        return function early(this: AcknowledgementLanes, session, acknowledgement) {
          acknowledgement.needs = 0;
          Reflect.apply(original, this, [session, acknowledgement]);
          acknowledgement.needs = Number.MAX_SAFE_INTEGER;
        };
      }),
  },
  {
    name: 'cursor stored one too far',
    plant: () =>
      replace(SessionCursor.prototype, 'positionOf', (original) => {
        return function further(this: SessionCursor, shard) {
          return Reflect.apply(original, this, [shard]) + 1;
        };
      }),
  },
  {
    name: 'session handed over unsettled',
    plant: () => replace(DurableSessionRegistry.prototype, 'settle', () => async () => {}),
  },
  {
    name: 'dead broker not fenced',
    plant: () => replace(DurableSessionRegistry.prototype, 'fence', () => async () => {}),
  },
  {
    name: 'interest barrier skipped',
    plant: () => replace(InterestBarrier.prototype, 'everywhere', () => async () => 'applied'),
  },
  {
    name: 'repeated QoS 2 message taken anew',
    plant: () => replace(RepeatedPublishes.prototype, 'holds', () => () => false),
  },
  {
    name: 'delayed will published on resumption',
    plant: () =>
      replace(StoredWills.prototype, 'publishDue', (original) => {
        return function always(this: StoredWills, owner) {
          return Reflect.apply(original, this, [owner, true]);
        };
      }),
  },
  {
    name: 'lost ownership not noticed',
    plant: () => replace(SessionCursor.prototype, 'refused', () => () => {}),
  },
  {
    name: 'message not appended for absent sessions',
    plant: () =>
      replace(ReplicatedLog.prototype, 'append', (original) => {
        return function forgetful(this: ReplicatedLog, message, publisher, wanted) {
          const anybody = wanted?.durable.some(({ subscriber }) => subscriber.online) === true;
          Reflect.apply(original, this, [message, publisher, anybody ? wanted : null]);
        };
      }),
  },
];

export function plantedBugNamed(name: string): PlantedBug {
  const bug = PLANTED_BUGS.find((each) => each.name === name);
  if (bug === undefined) throw new TypeError(`no planted bug is called "${name}"`);
  return bug;
}

function replace<Class, Name extends keyof Class>(
  prototype: Class,
  name: Name,
  wrong: (original: Class[Name]) => Class[Name],
): () => void {
  const original = prototype[name];
  prototype[name] = wrong(original);
  return () => {
    prototype[name] = original;
  };
}
