/**
 * Damaged packets over real connections, before and after CONNECT: the broker answers, ignores or
 * closes, and lives on. After each packet comes a PINGREQ, so that its answer or the end of the
 * stream says that the packet was dealt with.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CampaignResult, atLeast, atMost, holds, MemoryWatch, told } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { connect } from '@robustmq/mqtt-client';
import type { ProtocolVersion } from '@robustmq/mqtt-codec';
import { BrokerProcess } from './broker-process.ts';
import { damaged } from './damage.ts';
import { RandomPackets } from './random-packet.ts';

const PINGREQ = Uint8Array.of(0xc0, 0);
const PINGRESP = 0xd0;
const CONNECTIONS = 48;
const ANSWER_LIMIT_MS = 500;
const HEAP_MEGABYTES = 256;
const MEMORY_MEGABYTES_MAX = 384;
/** Source addresses, so that closed connections do not use up the ports of one. */
const ADDRESSES = 200;
const VISITORS = 1000;
const FAILURES_MAX = 500;
const RETRY_PAUSE_MS = 10;
const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5, 5];

/** How many. */
export interface FuzzOptions {
  readonly seed: number;
  readonly packets: number;
}

interface Tally {
  sent: number;
  answered: number;
  closed: number;
  /** Neither an answer nor an end within the limit: the packet swallowed the PINGREQ. */
  silent: number;
  connections: number;
  failedConnects: number;
  slowestMs: number;
}

export async function runFuzzSocketsCampaign(options: FuzzOptions): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-fuzz-'));
  const broker = new BrokerProcess({
    ...{ folder, dataFolder: join(folder, 'data'), environment: {} },
    // A leak ends in a crash: without a limit garbage is kept for long, and looks like one.
    nodeOptions: [`--max-old-space-size=${HEAP_MEGABYTES}`],
    // Sessions of strangers end soon: what is measured is what damaged packets leave behind.
    sections: {
      limits: ['connect_timeout_ms = 2000'],
      mqtt: ['session_expiry_seconds_max = 5'],
      log: ['log_level = "error"'],
    },
  });
  const tally: Tally = {
    ...{ sent: 0, answered: 0, closed: 0, silent: 0, connections: 0 },
    ...{ failedConnects: 0, slowestMs: 0 },
  };
  try {
    await broker.start();
    const before = Math.round(broker.residentBytes / 1024 / 1024);
    const watch = new MemoryWatch(broker);
    const startedAtMs = performance.now();
    const random = new SeededRandom(options.seed);
    const workers = Array.from({ length: CONNECTIONS }, () =>
      attack(broker, { random, tally, packets: options.packets }),
    );
    await Promise.all(workers);
    const seconds = (performance.now() - startedAtMs) / 1000;
    const served = await isServing(broker);
    const megabytes = watch.takeMegabytes();
    watch.end();
    return {
      figures: [
        told('seed', options.seed),
        atLeast('damaged packets', tally.sent, options.packets),
        told('packets/s', Math.round(tally.sent / seconds)),
        told('connections', tally.connections),
        told('answered', tally.answered),
        told('closed', tally.closed),
        told('waited for more bytes', tally.silent),
        told('slowest answer ms', tally.slowestMs),
        atMost('connects failed', tally.failedConnects, 0),
        atMost('crashes', broker.crashes, 0),
        holds('serving afterwards', served),
        told('memory MB before', before),
        atMost('memory MB, largest', megabytes, MEMORY_MEGABYTES_MAX),
      ],
      examples: broker.crashes === 0 ? [] : [broker.output.slice(-4000)],
    };
  } finally {
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Attack {
  readonly random: SeededRandom;
  readonly tally: Tally;
  readonly packets: number;
}

async function attack(broker: BrokerProcess, work: Attack): Promise<void> {
  const { tally, random } = work;
  const packets = new RandomPackets(random);
  while (tally.sent < work.packets && broker.port !== null) {
    const stream = await PingedStream.open(broker.port, tally.connections);
    tally.connections += 1;
    if (stream === null) {
      tally.failedConnects += 1;
      if (tally.failedConnects > FAILURES_MAX) return;
      await delay(RETRY_PAUSE_MS);
      continue;
    }
    const version = packets.pick(VERSIONS);
    // One stranger in five does not introduce itself.
    if (!packets.oneIn(5)) {
      await stream.ask(packets.connect(version, `visitor-${tally.connections % VISITORS}`));
    }
    while (stream.isOpen && tally.sent < work.packets) {
      const prelude = packets.oneIn(2) ? [packets.any(version)] : [];
      const packet = damaged(packets.any(version), random);
      tally.sent += 1;
      const outcome = await stream.ask(...prelude, packet);
      tally[outcome.kind] += 1;
      if (outcome.kind !== 'silent') {
        tally.slowestMs = Math.max(tally.slowestMs, outcome.afterMs);
      }
      if (outcome.kind === 'silent') stream.end();
    }
    stream.end();
  }
}

/** A stream whose every message is followed by PINGREQ. */
class PingedStream {
  readonly #socket: Socket;
  #wake: (kind: 'answered' | 'closed') => void = () => undefined;
  #last = 0;
  isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      // PINGRESP is 0xd0 0x00; the same bytes in a payload only end the wait early.
      const at = chunk.indexOf(PINGRESP);
      const follows = at >= 0 && (chunk[at + 1] ?? 0) === 0;
      const isSplit = this.#last === PINGRESP && chunk[0] === 0;
      this.#last = chunk[chunk.length - 1] ?? 0;
      if (follows || isSplit) this.#wake('answered');
    });
    const closed = (): void => {
      this.isOpen = false;
      this.#wake('closed');
    };
    socket.on('end', closed);
    socket.on('close', closed);
    socket.on('error', closed);
  }

  static open(port: number, number: number): Promise<PingedStream | null> {
    const localAddress = `127.0.0.${2 + (number % ADDRESSES)}`;
    return new Promise((resolve) => {
      const socket = connectTcp({ host: '127.0.0.1', port, localAddress, noDelay: true });
      socket.once('connect', () => resolve(new PingedStream(socket)));
      socket.once('error', () => resolve(null));
    });
  }

  async ask(
    ...packets: readonly Uint8Array[]
  ): Promise<{ readonly kind: 'answered' | 'closed' | 'silent'; readonly afterMs: number }> {
    const startedAtMs = performance.now();
    const kind = await new Promise<'answered' | 'closed' | 'silent'>((resolve) => {
      const timer = setTimeout(() => resolve('silent'), ANSWER_LIMIT_MS);
      this.#wake = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      if (this.isOpen) this.#socket.write(Buffer.concat([...packets, PINGREQ]));
      else this.#wake('closed');
    });
    return { kind, afterMs: performance.now() - startedAtMs };
  }

  end(): void {
    this.isOpen = false;
    this.#socket.destroy();
  }
}

/** A message through the broker, as any client does it. */
async function isServing(broker: BrokerProcess): Promise<boolean> {
  if (broker.port === null) return false;
  const client = await connect({ port: broker.port, timeoutMs: 10_000 });
  const topic = 'after-the-storm';
  await client.subscribe([{ filter: topic, qos: 2 }]);
  await client.publish({ topic, payload: new Uint8Array(3), qos: 2 });
  const { value } = await client.messages().next();
  await client.disconnect();
  return value?.topic === topic;
}
