/** A fingerprint of records, for comparing members of a group. */
import { crc32c, encodeUtf8 } from '@robustmq/bytes';

export class RecordDigest {
  #records = 0;
  #bytes = 0;
  #checksum = 0;

  /** Records come in their order. */
  add(key: string, value: Uint8Array): void {
    const name = encodeUtf8(key);
    const lengths = new Uint8Array(8);
    const view = new DataView(lengths.buffer);
    view.setUint32(0, name.length);
    view.setUint32(4, value.length);
    this.#checksum = crc32c(lengths, 0, 8, this.#checksum);
    this.#checksum = crc32c(name, 0, name.length, this.#checksum);
    this.#checksum = crc32c(value, 0, value.length, this.#checksum);
    this.#records += 1;
    this.#bytes += name.length + value.length;
  }

  /** `records-bytes-checksum`: equal for equal records. */
  toString(): string {
    return `${this.#records}-${this.#bytes}-${(this.#checksum >>> 0).toString(16).padStart(8, '0')}`;
  }
}
