import type { JournalRecord, KeyedRecord } from '@robustmq/journal';

/** Longer bodies are cut in a table; `--output json` has all of them. */
const PREVIEW_BYTES = 64;

/** One record of a shard of messages, as a line. */
export function recordText(record: JournalRecord, format: 'table' | 'json'): string {
  const { offset, appendedAtMs, kind, topic, body } = record;
  if (format === 'json') {
    const bodyBase64 = Buffer.from(body).toString('base64');
    return JSON.stringify({ offset, appendedAtMs, kind, topic, bodyBase64 });
  }
  const time = new Date(appendedAtMs).toISOString();
  return `${offset}  ${time}  kind ${kind}  ${topic || '-'}  ${body.length} bytes  ${previewOf(body)}`;
}

/** One record of a keyed shard, as a line. */
export function keyedText(record: KeyedRecord, format: 'table' | 'json'): string {
  const { key, fence, value, revision } = record;
  if (format === 'json') {
    return JSON.stringify({
      key,
      fence,
      revision,
      valueBase64: Buffer.from(value).toString('base64'),
    });
  }
  return `${JSON.stringify(key)}  revision ${revision}  fence ${fence}  ${value.length} bytes  ${previewOf(value)}`;
}

/** What can be printed as it is, anything else as a dot. */
export function previewOf(bytes: Uint8Array): string {
  const text = Array.from(bytes.subarray(0, PREVIEW_BYTES), (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  );
  return text.join('') + (bytes.length > PREVIEW_BYTES ? '…' : '');
}
