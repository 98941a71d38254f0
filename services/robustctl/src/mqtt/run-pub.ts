import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { connect } from '@robustmq/mqtt-client';
import type { MqttClient, OutgoingMessage } from '@robustmq/mqtt-client';
import type { PubFlags } from '../commands/pub-command.ts';
import { note } from '../output.ts';
import { commandErrorOf } from './client-failure.ts';
import { clientOptionsFrom, readFile, usage } from './client-options-from.ts';
import { propertiesFrom } from './property-flags.ts';

/** Messages with QoS 1 or 2 under way at once; keeps order and bounds memory. */
const UNDER_WAY_MAX = 256;

/**
 * Publishes what the flags say and ends once all of it is acknowledged.
 *
 * @throws CommandError
 */
export async function runPub(flags: PubFlags): Promise<void> {
  const options = clientOptionsFrom(flags);
  const properties = propertiesFrom(flags.property, flags.userProperty);
  const hasProperties = Object.keys(properties).length > 0;
  if (hasProperties && options.version !== 5) throw usage('properties need -V 5');
  const payloads = payloadsOf(flags);
  const shape = { topic: flags.topic, qos: flags.qos, retain: flags.retain === true, properties };
  try {
    const client = await connect(options);
    const published = await publishAll(client, payloads, shape);
    await client.disconnect();
    if (flags.verbose === true) {
      note(
        `${String(published)} published${flags.qos === 0 ? ' (QoS 0: not acknowledged)' : ' and acknowledged'}`,
      );
    }
  } catch (error) {
    throw commandErrorOf(error);
  }
}

async function publishAll(
  client: MqttClient,
  payloads: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  shape: Omit<OutgoingMessage, 'payload'>,
): Promise<number> {
  const underWay = new Set<Promise<unknown>>();
  let published = 0;
  for await (const payload of payloads) {
    const publish = client.publish({ ...shape, payload });
    published++;
    underWay.add(publish);
    // A refusal is thrown by the race or by the wait for all below; here it is only taken off.
    publish.then(
      () => underWay.delete(publish),
      () => undefined,
    );
    if (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  return published;
}

function payloadsOf(flags: PubFlags): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  const given = [flags.message, flags.file, flags.lines].filter((flag) => flag !== undefined);
  if (given.length !== 1) throw usage('say the message once: with -m, -f or -l');
  if (flags.lines === true) return standardInputLines();
  const payload =
    flags.message === undefined
      ? fileContent(flags.file ?? '-')
      : Buffer.from(flags.message, 'utf8');
  return repeated(payload, flags.count);
}

function fileContent(path: string): Uint8Array {
  return path === '-' ? readFileSync(0) : readFile(path);
}

function* repeated(payload: Uint8Array, count: number): Iterable<Uint8Array> {
  for (let index = 0; index < count; index++) yield payload;
}

async function* standardInputLines(): AsyncIterable<Uint8Array> {
  for await (const line of createInterface({ input: process.stdin }))
    yield Buffer.from(line, 'utf8');
}
