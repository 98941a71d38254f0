/** Every change is seen by every watch once, in order, without a gap, and the same everywhere. */
import type { KeyEvent, Revision } from '@robustmq/placement';
import { bytesHash, mixed, textHash } from './trace.ts';
import { Violation } from './violation.ts';

export class ChangeChecker {
  /** By revision, as the first node that applied it told it. */
  readonly #digests: (number | undefined)[] = [];

  /** A node applied the changes of one revision. */
  applied(node: number, revision: Revision, events: readonly KeyEvent[]): void {
    if (events.length > 0) this.#compare(`node ${node}`, revision, events);
  }

  watched(
    watcher: number,
    through: Revision,
    revision: Revision,
    events: readonly KeyEvent[],
  ): void {
    if (revision !== through + 1) {
      throw new Violation('watch', `watch ${watcher} was told ${revision} after ${through}`);
    }
    this.#compare(`watch ${watcher}`, revision, events);
  }

  #compare(who: string, revision: Revision, events: readonly KeyEvent[]): void {
    const digest = digestOf(revision, events);
    const known = this.#digests[revision];
    this.#digests[revision] = digest;
    if (known !== undefined && known !== digest) {
      throw new Violation('watch', `${who} has other changes at revision ${revision}`);
    }
  }
}

function digestOf(revision: Revision, events: readonly KeyEvent[]): number {
  let digest: number = revision;
  for (const event of events) digest = mixed(digest, hashOf(event));
  return digest;
}

function hashOf(event: KeyEvent): number {
  if (event.kind === 'delete') return mixed(textHash(event.key), event.modRevision);
  const { key, value, createRevision, modRevision, version, lease } = event.keyValue;
  const place = mixed(mixed(createRevision, modRevision), mixed(version, lease ?? 0));
  return mixed(mixed(textHash(key), bytesHash(value)), place);
}
