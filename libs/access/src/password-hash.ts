import { createHash, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * The three forms in which a password is stored.
 *
 *     $6$salt$hash                      SHA-512 of password and salt; Mosquitto 1.x
 *     $7$iterations$salt$hash           PBKDF2 with HMAC-SHA-512, 64 bytes; Mosquitto 2.x
 *     $scrypt$ln=14,r=8,p=1$salt$hash   scrypt (RFC 7914), 2^14 blocks, 32 bytes; what we write
 *
 * Salt and hash are base64, padded in the first two and unpadded in the third, as each form's other
 * readers expect.
 */
export type PasswordHash =
  | { readonly kind: 'sha512'; readonly salt: Buffer; readonly digest: Buffer }
  | {
      readonly kind: 'pbkdf2';
      readonly iterations: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    }
  | {
      readonly kind: 'scrypt';
      readonly costLog2: number;
      readonly blockSize: number;
      readonly parallelization: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    };

/** LIMIT: a file must not be able to occupy a thread for minutes or to take gigabytes. */
const ITERATIONS_MAX = 10_000_000;
const SCRYPT_MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const SCRYPT_PARALLELIZATION_MAX = 16;

const SCRYPT_COST_LOG2 = 14;
const SCRYPT_BLOCK_SIZE = 8;
const SCRYPT_DIGEST_BYTES = 32;
const SALT_BYTES = 16;

const derivePbkdf2 = promisify(pbkdf2);

/** @returns null when the text is none of the known forms or its cost is out of bounds */
export function parsePasswordHash(text: string): PasswordHash | null {
  const [before, form, ...fields] = text.split('$');
  if (before !== '') return null;
  const digest = decodeBase64(fields.at(-1));
  const salt = decodeBase64(fields.at(-2));
  if (salt === null || digest === null) return null;
  if (form === '6' && fields.length === 2 && digest.length === 64) {
    return { kind: 'sha512', salt, digest };
  }
  if (form === '7' && fields.length === 3 && digest.length === 64) {
    const iterations = parseCount(fields[0], ITERATIONS_MAX);
    return iterations === null ? null : { kind: 'pbkdf2', iterations, salt, digest };
  }
  if (form === 'scrypt' && fields.length === 3 && digest.length >= 16) {
    return parseScrypt(fields[0] ?? '', salt, digest);
  }
  return null;
}

function parseScrypt(parameters: string, salt: Buffer, digest: Buffer): PasswordHash | null {
  const found = /^ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,2})$/.exec(parameters);
  const costLog2 = parseCount(found?.[1], 24);
  const blockSize = parseCount(found?.[2], 64);
  const parallelization = parseCount(found?.[3], SCRYPT_PARALLELIZATION_MAX);
  if (costLog2 === null || blockSize === null || parallelization === null) return null;
  if (128 * 2 ** costLog2 * blockSize > SCRYPT_MEMORY_BYTES_MAX) return null;
  return { kind: 'scrypt', costLog2, blockSize, parallelization, salt, digest };
}

function parseCount(text: string | undefined, max: number): number | null {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return null;
  const count = Number(text);
  return count >= 1 && count <= max ? count : null;
}

function decodeBase64(text: string | undefined): Buffer | null {
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  return Buffer.from(text, 'base64');
}

/** A new scrypt hash with a random salt, as a line of the file keeps it. Takes about 50 ms of a pool thread. */
export async function hashPassword(password: Uint8Array): Promise<string> {
  const template: PasswordHash = imitationHash(randomBytes(SALT_BYTES));
  const digest = await derive(template, password);
  const parameters = `ln=${SCRYPT_COST_LOG2},r=${SCRYPT_BLOCK_SIZE},p=1`;
  return `$scrypt$${parameters}$${unpadded(template.salt)}$${unpadded(digest)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

/** A hash of our usual cost that no password fits: for users who do not exist. */
export function imitationHash(salt: Buffer): PasswordHash {
  return {
    kind: 'scrypt',
    costLog2: SCRYPT_COST_LOG2,
    blockSize: SCRYPT_BLOCK_SIZE,
    parallelization: 1,
    salt,
    digest: Buffer.alloc(SCRYPT_DIGEST_BYTES),
  };
}

/** Whether the password is the one that was hashed. The comparison takes the same time for all. */
export async function verifyPassword(hash: PasswordHash, password: Uint8Array): Promise<boolean> {
  return timingSafeEqual(await derive(hash, password), hash.digest);
}

async function derive(hash: PasswordHash, password: Uint8Array): Promise<Buffer> {
  switch (hash.kind) {
    case 'sha512':
      return createHash('sha512').update(password).update(hash.salt).digest();
    case 'pbkdf2':
      return derivePbkdf2(password, hash.salt, hash.iterations, hash.digest.length, 'sha512');
    case 'scrypt':
      return deriveScrypt(hash, password);
  }
}

function deriveScrypt(
  hash: Extract<PasswordHash, { kind: 'scrypt' }>,
  password: Uint8Array,
): Promise<Buffer> {
  const options = {
    N: 2 ** hash.costLog2,
    r: hash.blockSize,
    p: hash.parallelization,
    maxmem: 2 * SCRYPT_MEMORY_BYTES_MAX,
  };
  return new Promise((resolve, reject) => {
    scrypt(password, hash.salt, hash.digest.length, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
