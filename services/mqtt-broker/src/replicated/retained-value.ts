/** A retained message in its keyed shard, under its topic: u16 length of client id | client id | record. */
export function encodeRetainedValue(publisherId: string, record: Uint8Array): Uint8Array {
  const id = new TextEncoder().encode(publisherId);
  const value = new Uint8Array(2 + id.length + record.length);
  value[0] = id.length >>> 8;
  value[1] = id.length & 0xff;
  value.set(id, 2);
  value.set(record, 2 + id.length);
  return value;
}

export function decodeRetainedValue(value: Uint8Array): {
  readonly publisherId: string;
  readonly record: Uint8Array;
} {
  const end = 2 + (((value[0] as number) << 8) | (value[1] as number));
  return {
    publisherId: new TextDecoder().decode(value.subarray(2, end)),
    record: value.subarray(end),
  };
}
