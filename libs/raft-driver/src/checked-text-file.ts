/** Small files that are replaced as a whole: one line of JSON, and its CRC-32C in a second line. */
import { crc32c } from '@robustmq/bytes';
import { type FileSystem, readWholeFile } from '@robustmq/environment';
import { replaceFile } from '@robustmq/record-log';
import { corrupt } from './log-recovery.ts';

/** Durable on return. */
export async function writeCheckedText(
  fileSystem: FileSystem,
  path: string,
  value: unknown,
): Promise<void> {
  const line = JSON.stringify(value);
  const text = `${line}\n${checksumOf(line)}\n`;
  await replaceFile(fileSystem, path, new TextEncoder().encode(text));
}

/** Null when there is no such file. @throws RaftError RAFT_LOG_CORRUPT */
export async function readCheckedText(fileSystem: FileSystem, path: string): Promise<unknown> {
  const bytes = await readWholeFile(fileSystem, path);
  if (bytes === null) return null;
  const [line = '', checksum = ''] = new TextDecoder().decode(bytes).split('\n');
  if (checksum !== checksumOf(line)) throw corrupt(path, 0, 'the line fails its checksum');
  return JSON.parse(line) as unknown;
}

function checksumOf(line: string): string {
  const bytes = new TextEncoder().encode(line);
  return crc32c(bytes, 0, bytes.length).toString(16).padStart(8, '0');
}
