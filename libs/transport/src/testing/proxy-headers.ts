/** A version 2 PROXY header, right or wrong (PROXY §2.2). */
export function v2Header(
  versionAndCommand: number,
  familyAndTransport: number,
  payload: readonly number[],
): Buffer {
  const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
  const length = [payload.length >> 8, payload.length & 0xff];
  return Buffer.from([...signature, versionAndCommand, familyAndTransport, ...length, ...payload]);
}
