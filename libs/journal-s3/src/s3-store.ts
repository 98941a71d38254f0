/** A bucket of S3, or of a store that speaks its protocol. The client is loaded when it is needed. */
import { createHash } from 'node:crypto';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { JournalError } from '@robustmq/journal';
import type { ByteRange, ObjectStore, StoredObject } from './object-store.ts';

const ATTEMPTS_MAX = 3;

/** Where the bucket is and how to be let in. Secrets are never part of a fault. */
export interface S3Place {
  readonly bucket: string;
  /** URL of the store; absent: Amazon's own for the region. */
  readonly endpoint?: string;
  readonly region: string;
  /** Absent: from where Amazon's client looks for them (environment, files, the machine's role). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How long one call may take, its repetitions included. */
  readonly requestTimeoutMs: number;
}

type S3Module = typeof import('@aws-sdk/client-s3');

export class S3Store implements ObjectStore {
  readonly #module: S3Module;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #timeoutMs: number;

  private constructor(module: S3Module, place: S3Place) {
    this.#module = module;
    this.#client = new module.S3Client(clientConfig(place));
    this.#bucket = place.bucket;
    this.#timeoutMs = place.requestTimeoutMs;
  }

  /** @throws JournalError JOURNAL_IO_FAILED  the package is missing */
  static async open(place: S3Place): Promise<S3Store> {
    return new S3Store(await loadModule(), place);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const command = new this.#module.PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: bytes,
      ContentLength: bytes.length,
      // The store refuses what arrives damaged.
      ContentMD5: createHash('md5').update(bytes).digest('base64'),
    });
    await this.#client.send(command, this.#limits());
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | null> {
    if (range !== undefined && range.after <= range.first) return new Uint8Array(0);
    const command = new this.#module.GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(range === undefined ? {} : { Range: `bytes=${range.first}-${range.after - 1}` }),
    });
    try {
      const { Body } = await this.#client.send(command, this.#limits());
      return Body === undefined ? null : await Body.transformToByteArray();
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') return null;
      throw error;
    }
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const objects: StoredObject[] = [];
    for await (const page of this.#pages(prefix, null)) {
      for (const { Key, Size } of page.Contents ?? []) {
        if (Key !== undefined) objects.push({ key: Key, byteLength: Size ?? 0 });
      }
    }
    return objects;
  }

  async listFolders(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const page of this.#pages(prefix, '/')) {
      for (const { Prefix } of page.CommonPrefixes ?? []) {
        if (Prefix !== undefined) names.push(Prefix.slice(prefix.length, -1));
      }
    }
    return names;
  }

  async delete(key: string): Promise<void> {
    const command = new this.#module.DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    await this.#client.send(command, this.#limits());
  }

  close(): void {
    this.#client.destroy();
  }

  async *#pages(
    prefix: string,
    delimiter: string | null,
  ): AsyncGenerator<import('@aws-sdk/client-s3').ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const command = new this.#module.ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        ...(delimiter === null ? {} : { Delimiter: delimiter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.#client.send(command, this.#limits());
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  #limits(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(this.#timeoutMs) };
  }
}

async function loadModule(): Promise<S3Module> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    const detail = 'the package @aws-sdk/client-s3 is not installed: install it';
    const fault = { code: 'JOURNAL_IO_FAILED', operation: 'open', detail } as const;
    throw new JournalError(fault, { cause: error });
  }
}

function clientConfig(place: S3Place): S3ClientConfig {
  const { endpoint, region, credentials } = place;
  return {
    region,
    maxAttempts: ATTEMPTS_MAX,
    // Trailing checksums are unknown to many stores; Content-MD5 is known to all.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}
