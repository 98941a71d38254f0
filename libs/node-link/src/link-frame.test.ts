import { Message, Router } from '@robustmq/broker';
import { SeededRandom } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import { FrameWriter } from './frame-writer.ts';
import { type FramedMessage, type FramedPackets, LinkFrameError, readFrame } from './link-frame.ts';

const encoder = new TextEncoder();
const router = new Router({
  topicsCachedMax: 100,
  strategy: 'round_robin',
  encode: (name) => encoder.encode(name),
});
const NOW_MS = 1_700_000_000_000;

interface Spec {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly lifetimeMs: number;
  readonly publisher: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

function messageOf(spec: Spec): Message {
  const message = new Message(router.topicOf(spec.topic));
  message.qos = spec.qos;
  message.retain = spec.retain;
  message.expiresAtMs = spec.lifetimeMs < 0 ? 0 : NOW_MS + spec.lifetimeMs;
  message.headerBytes = spec.headers;
  message.headersEnd = spec.headers.length;
  message.payloadBytes = spec.payload;
  message.payloadEnd = spec.payload.length;
  return message;
}

/** As it came from a client: nothing looks into the packet on its way. */
function packetOf(spec: Spec): Message {
  const message = messageOf({ ...spec, lifetimeMs: -1 });
  message.wireStart = 0;
  message.wireEnd = spec.payload.length;
  message.wireFlavour = spec.qos % 2;
  return message;
}

function packetsText({ bytes, publisherStart, publisherEnd, ...packets }: FramedPackets): string {
  const publisher = Buffer.from(bytes.subarray(publisherStart, publisherEnd)).toString();
  const hex = Buffer.from(bytes.subarray(packets.start, packets.end)).toString('hex');
  return `${publisher} ${packets.hasProperties} ${hex}`;
}

/** Behind the packets before when they are of the same client and version. */
function addPacket(lines: string[], { publisher, qos, payload }: Spec): void {
  const beginning = `packets ${publisher} ${qos % 2 === 1} `;
  const hex = Buffer.from(payload).toString('hex');
  if (lines.at(-1)?.startsWith(beginning) === true) lines.push(`${lines.pop()}${hex}`);
  else lines.push(`${beginning}${hex}`);
}

function textOf(framed: FramedMessage): string {
  const part = (start: number, end: number): Buffer =>
    Buffer.from(framed.bytes.subarray(start, end));
  return [
    part(framed.topicStart, framed.topicEnd).toString(),
    `q${framed.qos}${framed.retain ? 'r' : ''} ${framed.lifetimeMs}`,
    part(framed.publisherStart, framed.publisherEnd).toString(),
    part(framed.headersStart, framed.headersEnd).toString('hex'),
    part(framed.payloadStart, framed.payloadEnd).toString('hex'),
  ].join('|');
}

function specText(spec: Spec): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const flags = `q${spec.qos}${spec.retain ? 'r' : ''} ${spec.lifetimeMs}`;
  return [spec.topic, flags, spec.publisher, hex(spec.headers), hex(spec.payload)].join('|');
}

/** Every entry as a line of text. */
function linesOf(frame: Uint8Array): string[] {
  const lines: string[] = [];
  readFrame(frame, {
    message: (message) => lines.push(`message ${textOf(message)}`),
    packets: (packets) => lines.push(`packets ${packetsText(packets)}`),
    shared: (message, group, slot) => lines.push(`shared ${group} ${slot} ${textOf(message)}`),
    request: (id, question) => lines.push(`request ${id} ${Buffer.from(question).toString('hex')}`),
    reply: (id, answer) =>
      lines.push(
        `reply ${id} ${answer === null ? 'refused' : Buffer.from(answer).toString('hex')}`,
      ),
  });
  return lines;
}

function randomBytes(random: SeededRandom, below: number): Uint8Array {
  const bytes = new Uint8Array(random.uint32() % below);
  random.fill(bytes);
  return bytes;
}

function randomSpec(random: SeededRandom): Spec {
  const words = ['a', 'größe', '温度', '🌡', 'x'.repeat(200)];
  return {
    topic: `t/${words[random.uint32() % words.length]}`,
    qos: random.uint32() % 3,
    retain: random.uint32() % 2 === 0,
    lifetimeMs: random.uint32() % 3 === 0 ? -1 : random.uint32(),
    publisher: words[random.uint32() % words.length] ?? '',
    headers: randomBytes(random, 100),
    payload: randomBytes(random, 5_000),
  };
}

describe('a frame', () => {
  test('holds whatever was written, in order', () => {
    const seed = 7;
    const random = new SeededRandom(seed);
    const writer = new FrameWriter();
    for (let round = 0; round < 200; round += 1) {
      const expected: string[] = [];
      for (let entry = random.uint32() % 8; entry >= 0; entry -= 1) {
        const spec = randomSpec(random);
        const id = random.uint32() * 1024;
        const bytes = randomBytes(random, 300);
        const hex = Buffer.from(bytes).toString('hex');
        switch (random.uint32() % 8) {
          case 0:
            writer.shared(messageOf(spec), spec.publisher, {
              group: `g/${spec.topic}`,
              slot: id % 1000,
              nowMs: NOW_MS,
            });
            expected.push(`shared g/${spec.topic} ${id % 1000} ${specText(spec)}`);
            break;
          case 1:
            writer.request(id, bytes);
            expected.push(`request ${id} ${hex}`);
            break;
          case 2:
            writer.reply(id, bytes);
            expected.push(`reply ${id} ${hex}`);
            break;
          case 3:
            writer.reply(id, null);
            expected.push(`reply ${id} refused`);
            break;
          case 4:
          case 5:
          case 6:
            writer.message(packetOf(spec), spec.publisher, NOW_MS);
            addPacket(expected, spec);
            break;
          default:
            writer.message(messageOf(spec), spec.publisher, NOW_MS);
            expected.push(`message ${specText(spec)}`);
        }
      }
      expect(linesOf(writer.take()), `seed ${seed}, round ${round}`).toEqual(expected);
    }
  });

  test('that is damaged is read as another frame or refused, and never makes the reader stumble', () => {
    const seed = 11;
    const random = new SeededRandom(seed);
    const writer = new FrameWriter();
    let refused = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const spec = randomSpec(random);
      writer.message(round % 3 === 0 ? packetOf(spec) : messageOf(spec), 'p', NOW_MS);
      writer.request(random.uint32() % 5, randomBytes(random, 20));
      let frame = writer.take();
      if (round % 2 === 0) frame = frame.subarray(0, random.uint32() % frame.length);
      else frame[random.uint32() % frame.length] = random.uint32() & 0xff;
      try {
        linesOf(frame);
      } catch (error) {
        expect(error, `seed ${seed}, round ${round}`).toBeInstanceOf(LinkFrameError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  test('of another version is refused', () => {
    expect(() => linesOf(Uint8Array.of(1))).toThrow('frame version 1; this broker speaks 2');
  });

  test('counts what the sender must know of: entries, and messages that were acknowledged', () => {
    const writer = new FrameWriter();
    const spec = { ...randomSpec(new SeededRandom(1)), qos: 0 };
    writer.message(messageOf(spec), '', NOW_MS);
    writer.message(messageOf({ ...spec, qos: 1 }), '', NOW_MS);
    expect([writer.entries, writer.acknowledged]).toEqual([2, 1]);
    writer.take();
    expect([writer.entries, writer.acknowledged, writer.length]).toEqual([0, 0, 0]);
  });
});
