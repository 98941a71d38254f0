/**
 * The fuzz campaign of the codec: legal packets must come back unchanged, damaged ones must end in a
 * packet or a declared fault, and none may take long or much memory. Deterministic for a seed, the
 * measured times and bytes apart.
 */
import { isDeepStrictEqual } from 'node:util';
import { DECODE_FROM_CLIENT, DECODE_FROM_SERVER, type DecodeLimits } from './decode-fault.ts';
import { decodePacket } from './decode-packet.ts';
import { encodePacket } from './encode-packet.ts';
import { createFrame, readFrame } from './frame.ts';
import { FrameStatus } from './hot-path.ts';
import { mutate } from './mutation.fixture.ts';
import type { Packet, ProtocolVersion } from './packet.ts';
import { randomPacket } from './random-packet.fixture.ts';
import { RandomSource } from './random-source.fixture.ts';
import { examine, type Origin } from './verdict.fixture.ts';

/** No single input may take longer to decode. */
export const INPUT_MS_MAX = 100;
/** No single input may allocate more. */
export const INPUT_BYTES_MAX: number = 10 * 1024 * 1024;
/** One input in so many is a packet near the largest that a property list or filter list reaches. */
const JUMBO_EVERY = 5000;
/** Reading the heap's size costs more than decoding: one input in so many, and every jumbo. */
const HEAP_EVERY = 100;
const FAILURES_KEPT = 10;

export interface Figures {
  readonly version: ProtocolVersion;
  readonly inputs: number;
  readonly roundTrips: number;
  readonly mutated: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly noFrame: number;
  readonly slowestMs: number;
  readonly largestBytes: number;
  readonly failures: readonly string[];
}

type Tally = { -readonly [Name in keyof Figures]: Figures[Name] } & { failures: string[] };

/** Runs `inputs` inputs: one half round trips, the other half the same packets damaged. */
export function runCampaign(version: ProtocolVersion, inputs: number, seed: number): Figures {
  const random = new RandomSource(seed * 31 + version);
  const tally: Tally = {
    version,
    inputs: 0,
    roundTrips: 0,
    mutated: 0,
    accepted: 0,
    rejected: 0,
    noFrame: 0,
    slowestMs: 0,
    largestBytes: 0,
    failures: [],
  };
  while (tally.inputs < inputs) runPair(random, tally);
  return tally;
}

function runPair(random: RandomSource, tally: Tally): void {
  const { version } = tally;
  const isJumbo = tally.inputs % JUMBO_EVERY === 0;
  const sent = isJumbo
    ? ({ packet: jumbo(random, version), direction: 'fromClient' } as const)
    : randomPacket(random, version);
  const bytes = encodePacket(sent.packet, version);
  const origin: Origin = { version, direction: sent.direction };
  judge(tally, bytes, origin, isJumbo, sent.packet);
  tally.roundTrips += 1;
  const direction = random.oneIn(10) ? 'fromServer' : sent.direction;
  judge(tally, mutate(random, bytes), { version, direction }, isJumbo, null);
  tally.mutated += 1;
}

function judge(
  tally: Tally,
  bytes: Uint8Array,
  origin: Origin,
  isJumbo: boolean,
  expected: Packet | null,
): void {
  let broken: string | null;
  try {
    broken = measure(tally, bytes, origin, isJumbo);
    const verdict = examine(bytes, origin);
    tally[verdict.outcome] += 1;
    broken ??= verdict.broken;
    if (expected !== null && !isDeepStrictEqual(verdict.packet, expected)) {
      broken ??= `${expected.kind} came back as something else`;
    }
  } catch (error) {
    broken = `threw ${String(error)}`;
  }
  tally.inputs += 1;
  if (broken !== null && tally.failures.length < FAILURES_KEPT) {
    tally.failures.push(`${broken}: ${origin.direction} ${hexOf(bytes)}`);
  }
}

/** Decodes once, as a broker does, and says which limit it exceeds. */
function measure(tally: Tally, bytes: Uint8Array, origin: Origin, isJumbo: boolean): string | null {
  const limits = origin.direction === 'fromClient' ? DECODE_FROM_CLIENT : DECODE_FROM_SERVER;
  const readsHeap = isJumbo || tally.inputs % HEAP_EVERY === 0;
  const heapBefore = readsHeap ? memoryBytes() : 0;
  let tookMs = decodeMs(bytes, origin.version, limits);
  const allocatedBytes = readsHeap ? memoryBytes() - heapBefore : 0;
  // Another process may have had the processor: only what is slow again and again is slow.
  for (let round = 0; round < 3 && tookMs > INPUT_MS_MAX; round += 1) {
    tookMs = Math.min(tookMs, decodeMs(bytes, origin.version, limits));
  }
  tally.slowestMs = Math.max(tally.slowestMs, tookMs);
  tally.largestBytes = Math.max(tally.largestBytes, allocatedBytes);
  if (tookMs > INPUT_MS_MAX) return `took ${tookMs.toFixed(1)} ms`;
  return allocatedBytes > INPUT_BYTES_MAX ? `allocated ${allocatedBytes} bytes` : null;
}

function decodeMs(bytes: Uint8Array, version: ProtocolVersion, limits: DecodeLimits): number {
  const startedMs = performance.now();
  const frame = createFrame();
  const status = readFrame(bytes, 0, bytes.length, frame);
  if (status === FrameStatus.complete) decodePacket(bytes, frame, version, limits);
  return performance.now() - startedMs;
}

function memoryBytes(): number {
  const usage = process.memoryUsage();
  return usage.heapUsed + usage.arrayBuffers;
}

/** A SUBSCRIBE or a PUBLISH of some hundred kilobytes in many small parts. */
function jumbo(random: RandomSource, version: ProtocolVersion): Packet {
  const identifier = 1 + random.below(65_535);
  if (random.oneIn(2)) {
    const userProperties = Array.from({ length: 1000 }, () => ['', random.text(100)] as const);
    return {
      kind: 'publish',
      topic: 't'.repeat(65_535),
      payload: random.bytes(100_000),
      qos: 1,
      retain: false,
      dup: false,
      packetIdentifier: identifier,
      properties: version === 5 ? { userProperties } : {},
    };
  }
  const filters = Array.from({ length: 20_000 }, () => random.text(random.below(8)));
  return { kind: 'unsubscribe', packetIdentifier: identifier, filters, properties: {} };
}

function hexOf(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, 200)].map((byte) => byte.toString(16).padStart(2, '0'));
  return shown.join('') + (bytes.length > 200 ? `… (${bytes.length} bytes)` : '');
}
