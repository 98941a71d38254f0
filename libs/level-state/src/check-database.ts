/**
 * Looks at every byte of a LevelDB directory before LevelDB does.
 *
 * - A table or a manifest that is damaged: the state can't be trusted, `LEVEL_STATE_CORRUPT`.
 * - A write-ahead log: what follows its first damage is cut off, and so are all later logs. Unflushed
 *   writes may be lost in a power cut, in any order; LevelDB would skip the missing ones and apply
 *   those behind them. Cut off, the state is an earlier one, which the Raft log brings up to date;
 *   if that log no longer reaches back so far, the driver refuses to start.
 *
 * Cost: one pass over the files, about half a second per GB.
 */
import { type FileSystem, readWholeFile } from '@robustmq/environment';
import { LevelFormatError } from './level-bytes.ts';
import { type LevelLog, readLevelLog } from './level-log.ts';
import { type LevelManifest, manifestOf } from './level-manifest.ts';
import { checkTable } from './level-table.ts';
import { LevelStateError } from './level-state-error.ts';

const LOG_NAME = /^(\d+)\.log$/;

/** @throws LevelStateError LEVEL_STATE_CORRUPT naming the file */
export async function checkDatabase(fileSystem: FileSystem, path: string): Promise<void> {
  const manifest = await readManifest(fileSystem, path);
  const names = await fileSystem.list(path);
  if (manifest.logNumber > 0 && !names.some((name) => numberOf(name) === manifest.logNumber)) {
    throw corrupt(path, `the write-ahead log ${manifest.logNumber} is missing`);
  }
  for (const [number, length] of manifest.tables) {
    await checkTableFile(fileSystem, await tablePath(fileSystem, path, number), length);
  }
  await cutDamagedLogs(fileSystem, path, names);
}

async function readManifest(fileSystem: FileSystem, path: string): Promise<LevelManifest> {
  const current = await readWholeFile(fileSystem, `${path}/CURRENT`);
  const name = current === null ? '' : new TextDecoder().decode(current).trim();
  if (!/^MANIFEST-\d+$/.test(name)) throw corrupt(`${path}/CURRENT`, 'it names no manifest');
  const bytes = await readWholeFile(fileSystem, `${path}/${name}`);
  if (bytes === null) throw corrupt(`${path}/${name}`, 'it is missing');
  const log = readLevelLog(bytes);
  try {
    const manifest = manifestOf(log.records);
    // An edit that was being written when the power failed: the version before it is whole.
    if (log.isDamaged) await cut(fileSystem, `${path}/${name}`, log.soundBytes);
    return manifest;
  } catch (error) {
    throw formatFault(`${path}/${name}`, error);
  }
}

async function tablePath(fileSystem: FileSystem, path: string, number: number): Promise<string> {
  const stem = `${path}/${String(number).padStart(6, '0')}`;
  const isOld = (await fileSystem.status(`${stem}.ldb`)) === null;
  return isOld ? `${stem}.sst` : `${stem}.ldb`;
}

async function checkTableFile(fileSystem: FileSystem, path: string, length: number): Promise<void> {
  const bytes = await readWholeFile(fileSystem, path);
  if (bytes === null) throw corrupt(path, 'it is missing');
  if (bytes.length !== length) {
    throw corrupt(path, `it has ${bytes.length} bytes instead of ${length}`);
  }
  try {
    checkTable(bytes);
  } catch (error) {
    throw formatFault(path, error);
  }
}

async function cutDamagedLogs(
  fileSystem: FileSystem,
  path: string,
  names: readonly string[],
): Promise<void> {
  const logs = names.filter((name) => LOG_NAME.test(name));
  logs.sort((left, right) => numberOf(left) - numberOf(right));
  let isBroken = false;
  for (const name of logs) {
    const bytes = await readWholeFile(fileSystem, `${path}/${name}`);
    if (bytes === null) continue;
    const log: LevelLog = isBroken
      ? { records: [], soundBytes: 0, isDamaged: bytes.length > 0 }
      : readLevelLog(bytes);
    if (log.isDamaged) await cut(fileSystem, `${path}/${name}`, log.soundBytes);
    isBroken ||= log.isDamaged;
  }
}

async function cut(fileSystem: FileSystem, path: string, byteLength: number): Promise<void> {
  const file = await fileSystem.open(path, 'write');
  try {
    await file.truncate(byteLength);
    await file.syncData();
  } finally {
    await file.close();
  }
}

function numberOf(name: string): number {
  return Number(LOG_NAME.exec(name)?.[1] ?? Number.NaN);
}

function formatFault(path: string, error: unknown): unknown {
  return error instanceof LevelFormatError ? corrupt(path, error.message) : error;
}

function corrupt(path: string, what: string): LevelStateError {
  const detail = `${path} is damaged (${what}): move the directory away and let this member join anew`;
  return new LevelStateError({ code: 'LEVEL_STATE_CORRUPT', detail });
}
