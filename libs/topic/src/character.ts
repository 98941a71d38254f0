/** UTF-16 code units that structure topics (MQTT-5.0 §4.7.1). */
export const NUL = 0x00;
export const HASH = 0x23; // #
export const DOLLAR = 0x24; // $
export const PLUS = 0x2b; // +
export const SLASH = 0x2f; // /

/** Where the level that starts at `start` ends: at the next `/`, or at the end of the text. */
export function levelEndOf(text: string, start: number): number {
  const slash = text.indexOf('/', start);
  return slash === -1 ? text.length : slash;
}

/** Up to this many code units V8 copies a slice; a longer one keeps the whole text it was cut from alive. */
const COPIED_SLICE_LENGTH_MAX = 12;
/** A text as short as this may be kept alive by one of its levels. */
const KEPT_TEXT_LENGTH_MAX = 256;

/**
 * The level `text[start, end)` for keeping as a key. A short level of a long text is copied, so that
 * a client cannot pin 64 KB with a key of 13 bytes.
 */
export function keptLevelOf(text: string, start: number, end: number): string {
  const level = text.slice(start, end);
  if (end - start <= COPIED_SLICE_LENGTH_MAX || text.length <= KEPT_TEXT_LENGTH_MAX) return level;
  return level.split('').join('');
}

/**
 * Whether the UTF-8 form of `text` has at most `bytesMax` bytes. A surrogate counts two bytes, so a
 * pair counts four. Most texts are decided by their length alone.
 */
export function fitsBytes(text: string, bytesMax: number): boolean {
  if (text.length * 3 <= bytesMax) return true;
  if (text.length > bytesMax) return false;
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 2;
    else bytes += 3;
  }
  return bytes <= bytesMax;
}
