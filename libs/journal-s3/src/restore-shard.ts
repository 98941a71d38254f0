/**
 * Compares a shard's directory with the bucket before it is opened.
 *
 * | in the bucket, and here         | means                                   | so                          |
 * |---------------------------------|-----------------------------------------|-----------------------------|
 * | a file or a note                | all is well                             |                             |
 * | nothing, but older segments are | the note was lost                       | it is made anew             |
 * | nothing, and nothing older is   | a removal that was cut short            | the object is removed       |
 * | nothing at all                  | the disk was lost                       | notes for all; the newest is fetched to go on with |
 */
import type { FileSystem } from '@robustmq/environment';
import { replaceFile } from '@robustmq/record-log';
import type { ObjectStore } from './object-store.ts';
import { HEADER_BYTES } from './tier-note.ts';
import type { TieredFileSystem } from './tiered-file-system.ts';

const SEGMENT = /\/(\d{20})\.(log|index)$/;

export interface RestoreParts {
  readonly local: FileSystem;
  readonly files: TieredFileSystem;
  readonly store: ObjectStore;
}

/** What the bucket has of one segment. */
interface RemoteSegment {
  segmentBytes: number;
  indexBytes: number;
}

/** Whether the directory holds anything of the shard, so that it can be opened without the bucket. */
export async function isKnownHere(local: FileSystem, directory: string): Promise<boolean> {
  const names = await local.list(directory);
  return names.some((name) => /^\d{20}\.(?:log|tier)$/.test(name));
}

export async function restoreShard(parts: RestoreParts, directory: string): Promise<void> {
  const { local, files, store } = parts;
  const remote = await remoteSegments(parts, directory);
  const names = await local.list(directory);
  const here = new Set(names.flatMap((name) => /^(\d{20})\.log$/.exec(name)?.[1] ?? []));
  const isHere = (base: string): boolean =>
    here.has(base) || files.noteOf(`${directory}/${base}`) !== undefined;
  const all = [...here, ...[...remote.keys()].filter(isHere)].toSorted();
  const oldest = all[0] ?? '';
  const newest = [...here, ...remote.keys()].toSorted().at(-1);
  await local.makeDirectory(directory);
  for (const [base, { segmentBytes, indexBytes }] of remote) {
    if (isHere(base)) continue;
    const stem = `${directory}/${base}`;
    if (base < oldest) {
      for (const ending of ['.log', '.index']) files.orphans.add(files.keyOf(`${stem}${ending}`));
    } else if (base === newest) {
      await fetchSegment(parts, `${stem}.log`);
    } else {
      const header = await store.get(files.keyOf(`${stem}.log`), { first: 0, after: HEADER_BYTES });
      await files.addNote(stem, { segmentBytes, indexBytes, header: header ?? new Uint8Array(0) });
    }
  }
  // The newest segment goes on growing, so its file has to be here.
  if (newest !== undefined && !here.has(newest) && isHere(newest)) {
    await fetchSegment(parts, `${directory}/${newest}.log`);
  }
}

async function remoteSegments(
  { files, store }: RestoreParts,
  directory: string,
): Promise<ReadonlyMap<string, RemoteSegment>> {
  const segments = new Map<string, RemoteSegment>();
  for (const { key, byteLength } of await store.list(`${files.keyOf(directory)}/`)) {
    const [, base, kind] = SEGMENT.exec(key) ?? [];
    if (base === undefined) continue;
    const segment = segments.get(base) ?? { segmentBytes: 0, indexBytes: 0 };
    if (kind === 'log') segment.segmentBytes = byteLength;
    else segment.indexBytes = byteLength;
    segments.set(base, segment);
  }
  for (const [base, { segmentBytes }] of segments) if (segmentBytes === 0) segments.delete(base);
  return segments;
}

async function fetchSegment({ local, files, store }: RestoreParts, path: string): Promise<void> {
  const bytes = await store.get(files.keyOf(path));
  if (bytes === null) throw new Error(`object ${files.keyOf(path)} has vanished`);
  await replaceFile(local, path, bytes);
}
