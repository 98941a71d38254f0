import type { OutgoingMessage } from '@robustmq/mqtt-client';
import { usage } from './client-options-from.ts';

type Properties = NonNullable<OutgoingMessage['properties']>;
type PropertyReader = (text: string) => Partial<Properties>;

/** The properties that `--property NAME=VALUE` may set on a message (MQTT-5.0 §3.3.2.3). */
const READERS: Readonly<Record<string, PropertyReader>> = {
  'payload-format-indicator': (text) => ({ payloadFormatIndicator: text === '1' ? 1 : 0 }),
  'message-expiry-interval': (text) => ({ messageExpiryIntervalSeconds: wholeSeconds(text) }),
  'content-type': (text) => ({ contentType: text }),
  'response-topic': (text) => ({ responseTopic: text }),
  'correlation-data': (text) => ({ correlationData: Buffer.from(text, 'utf8') }),
};

export const PROPERTY_NAMES: readonly string[] = Object.keys(READERS);

/**
 * The properties of a message.
 *
 * @param pairs  `NAME=VALUE` with the names of {@link PROPERTY_NAMES}
 * @param userPairs  `NAME=VALUE`, any names, order and repetition kept
 * @throws CommandError `usage`
 */
export function propertiesFrom(pairs: readonly string[], userPairs: readonly string[]): Properties {
  let properties: Properties = {};
  for (const pair of pairs) {
    const [name, value] = split(pair);
    const reader = READERS[name];
    if (reader === undefined) {
      throw usage(
        `unknown property ${name}; known are ${PROPERTY_NAMES.join(', ')} (and --user-property)`,
      );
    }
    properties = { ...properties, ...reader(value) };
  }
  return userPairs.length === 0
    ? properties
    : { ...properties, userProperties: userPairs.map(split) };
}

function split(pair: string): readonly [name: string, value: string] {
  const equals = pair.indexOf('=');
  if (equals < 1) throw usage(`"${pair}" is not NAME=VALUE`);
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= 0xffffffff) return seconds;
  throw usage(`"${text}" is no whole number of seconds`);
}
