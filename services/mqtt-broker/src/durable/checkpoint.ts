import {
  AppendError,
  type CheckpointEntry as Change,
  type CheckpointLog,
} from '@robustmq/record-log';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import { encodeSession, encodeState } from '../session/session-record.ts';
import { encodeGroup } from './durable-group.ts';
import { embeddedGroups, embeddedLog } from './embedded-log.ts';
import { FieldReader, FieldWriter } from './operations.ts';

/** How long clients may have to wait for a part of a checkpoint. */
const SLICE_MS = 5;

const UTF8 = new TextEncoder();

/** What a checkpoint stands for: replay goes on from here. */
export interface CheckpointMark {
  readonly position: number;
  readonly nextSessionNumber: number;
}

export function encodeMark(mark: CheckpointMark): Uint8Array {
  return new FieldWriter().f64(mark.position).u32(mark.nextSessionNumber).finish();
}

export function decodeMark(bytes: Uint8Array): CheckpointMark {
  const reader = new FieldReader(bytes);
  return { position: reader.f64(), nextSessionNumber: reader.u32() };
}

/** Kinds of entries, by the first letter of the key. */
export const ENTRY = { session: 's', state: 't', retained: 'r', will: 'w', group: 'g' } as const;

/**
 * Saves what changed since the last checkpoint, so that a restart replays only the journal's newest
 * part, however much is stored.
 *
 * Replay goes on from the journal's next offset as it is when the checkpoint begins. Sessions are
 * serialised in slices of a few milliseconds, each as it is by then: newer than that offset, which
 * does no harm, since every operation sets what it is about, and all of them are replayed. It is
 * written only after everything that was appended up to the last slice is durable, so the state on
 * disk is never ahead of the journal.
 */
export class Checkpointer {
  readonly #context: BrokerContext;
  readonly #store: CheckpointLog;
  #running: Promise<void> | null = null;
  /** Where replay begins after a crash now. */
  position: number;

  constructor(context: BrokerContext, store: CheckpointLog, position: number) {
    this.#context = context;
    this.#store = store;
    this.position = position;
  }

  /** True when there is enough to save. */
  isDue(): boolean {
    const log = embeddedLog(this.#context);
    return log.needsCheckpoint || log.nextOffset > this.position || this.#hasChanges();
  }

  /** One at a time; a second call waits for the first. @throws when the disk refuses: try later */
  run(): Promise<void> {
    this.#running ??= this.#once().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #once(): Promise<void> {
    const context = this.#context;
    const log = embeddedLog(context);
    // State whose operations were lost to a full disk is dirty, and so it is saved as it is now.
    const lost = log.needsCheckpoint;
    log.needsCheckpoint = false;
    const position = log.nextOffset;
    const changes = this.#collect(position);
    log.appendedBytesSinceCheckpoint = 0;
    try {
      await this.#collectSessions(changes);
      const mark = encodeMark({ position, nextSessionNumber: context.sessions.nextNumber });
      await committed(context);
      // Offsets of a batch that failed meanwhile are given out again: a slice may hold some.
      if (log.needsCheckpoint) throw new Error('the disk was full during the checkpoint');
      await this.#store.write(changes, mark);
    } catch (error) {
      for (const change of changes) this.#markAgain(change);
      if (lost) log.needsCheckpoint = true;
      if (error instanceof AppendError && error.fault.kind === 'broken') {
        // What is on disk is unknown: only a restart, which reads what is there, can tell.
        context.fatal('the checkpoint failed', error);
      }
      throw error;
    }
    this.position = position;
    log.stateIsPartial = false;
  }

  /** A change that was not saved is saved next time, as it is then. */
  #markAgain({ key, value }: Change): void {
    const context = this.#context;
    const name = key.slice(1);
    switch (key[0]) {
      case ENTRY.retained:
        context.retained.markChanged(UTF8.encode(name));
        break;
      case ENTRY.will:
        context.wills.markDirty(name);
        break;
      case ENTRY.group:
        embeddedGroups(context).markDirty(name);
        break;
      default: {
        const session = context.sessions.find(name);
        if (session?.durable === true) context.markDirty(session);
        // First removed and then, if there is one (again), added.
        if (value === null || session === undefined) context.sessions.ended.add(name);
      }
    }
  }

  #hasChanges(): boolean {
    const { dirtySessions, retained, sessions } = this.#context;
    return dirtySessions.size > 0 || retained.hasChanges || sessions.ended.size > 0;
  }

  #collect(position: number): Change[] {
    const context = this.#context;
    const changes: Change[] = [];
    for (const clientId of context.sessions.ended) {
      const next = context.sessions.find(clientId);
      if (next?.durable === true) context.markDirty(next);
      changes.push({ key: ENTRY.session + clientId, value: null });
      changes.push({ key: ENTRY.state + clientId, value: null });
    }
    context.sessions.ended.clear();
    context.retained.takeChanges((name, value) => {
      changes.push({ key: ENTRY.retained + name, value });
    });
    for (const [clientId, value] of context.wills.takeDirty()) {
      changes.push({ key: ENTRY.will + clientId, value });
    }
    for (const [key, state] of embeddedGroups(context).takeDirty(position)) {
      const value = state === null ? null : encodeGroup(state);
      changes.push({ key: ENTRY.group + key, value });
    }
    return changes;
  }

  /** Everybody is served between two slices. */
  async #collectSessions(changes: Change[]): Promise<void> {
    const { dirtySessions } = this.#context;
    const sessions = [...dirtySessions];
    dirtySessions.clear();
    try {
      while (sessions.length > 0) {
        this.#collectSlice(sessions, changes);
        if (sessions.length > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      for (const session of sessions) this.#context.markDirty(session);
    }
  }

  #collectSlice(sessions: ClientSession[], changes: Change[]): void {
    const context = this.#context;
    const endMs = performance.now() + SLICE_MS;
    const next = embeddedLog(context).nextOffset;
    const planned = embeddedLog(context).plannedExactlyOnce();
    do {
      const session = sessions.pop();
      if (session === undefined) return;
      // It ended, and another one may have its client identifier.
      if (context.sessions.find(session.clientId) !== session) continue;
      const state = encodeState(session, next, planned.get(session));
      changes.push({ key: ENTRY.session + session.clientId, value: encodeSession(session) });
      changes.push({ key: ENTRY.state + session.clientId, value: state });
    } while (performance.now() < endMs);
  }
}

/** Everything appended before this call is durable. */
function committed(context: BrokerContext): Promise<void> {
  return new Promise((resolve, reject) => {
    embeddedLog(context).afterCommit((ok) => {
      if (ok) resolve();
      else reject(new Error('the journal did not take what comes before the checkpoint'));
    });
  });
}
