import { bytesKey, integerKey, textKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';
import type { S3Medium } from '../media-settings.ts';

/** `[s3]`: the bucket that sealed segments move to, for storage_type = "s3". */
export interface S3Section {
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string;
  readonly region: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly local_bytes_max: number;
  readonly waiting_bytes_max: number;
  readonly request_timeout_ms: number;
}

const NOT_USED = 'Of no use with another storage_type.';

export const s3Section: SectionDeclaration<S3Section> = {
  kind: 'section',
  name: 's3',
  meaning: 'The bucket that sealed segments move to, with storage_type = "s3".',
  keys: {
    bucket: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'The bucket. It must exist.',
      reason: NOT_USED,
    }),
    prefix: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'What the keys of objects begin with, without a slash at the end.',
      reason: 'Two brokers that share a bucket need two prefixes: one data directory owns each.',
    }),
    endpoint: textKey({
      default: '',
      allowEmpty: true,
      meaning: "URL of the store. Empty: Amazon's own for the region.",
      reason: 'With http:// messages and signatures are seen by whoever is on the way.',
    }),
    region: textKey({
      default: 'us-east-1',
      allowEmpty: false,
      meaning: 'The region of the bucket.',
      reason: 'Other stores mostly ignore it, but it is part of each signature.',
    }),
    access_key_id: textKey({
      default: '',
      allowEmpty: true,
      meaning: "The access key. Empty: where Amazon's client finds one (environment, files, role).",
      reason: NOT_USED,
    }),
    secret_access_key: textKey({
      default: '',
      allowEmpty: true,
      secret: true,
      meaning: 'The secret of that key.',
      reason: 'Better given by its environment variable than written to a file.',
    }),
    local_bytes_max: bytesKey({
      default: 2 ** 30,
      minimum: 0,
      maximum: 2 ** 50,
      meaning: 'Size of the segments in the bucket that are kept on this disk, too.',
      reason: 'Sessions that come back soon read from the disk.',
    }),
    waiting_bytes_max: bytesKey({
      default: 4 * 2 ** 30,
      minimum: 2 ** 20,
      maximum: 2 ** 50,
      meaning:
        'Size of the sealed segments that wait for the bucket at which durable messages are refused.',
      reason: 'A bucket that is away must not fill the disk.',
    }),
    request_timeout_ms: integerKey({
      default: 60_000,
      minimum: 1000,
      maximum: 3_600_000,
      unit: 'milliseconds',
      meaning: 'How long one call to the store may take.',
      reason: 'A segment of 64 MiB is one call: allow for the slowest line.',
    }),
  },
};

export function s3Medium(section: S3Section): S3Medium {
  const { bucket, prefix, endpoint, region, access_key_id, secret_access_key } = section;
  const credentials = { accessKeyId: access_key_id, secretAccessKey: secret_access_key };
  return {
    bucket,
    prefix,
    region,
    ...(endpoint === '' ? {} : { endpoint }),
    ...(access_key_id === '' ? {} : { credentials }),
    localBytesMax: section.local_bytes_max,
    waitingBytesMax: section.waiting_bytes_max,
    requestTimeoutMs: section.request_timeout_ms,
  };
}
