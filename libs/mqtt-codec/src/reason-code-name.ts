import { ReasonCode } from './reason-code.ts';

/** `unspecifiedError` as `unspecified error`; of two names for one code the first wins. */
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ReasonCode)
    .toReversed()
    .map(([name, code]) => [
      code,
      name.replaceAll(/[A-Z0-9]+/g, (part) => ` ${part.toLowerCase()}`),
    ]),
);

/** The standard's name of a reason code (MQTT-5.0 §2.4), in lower case, or `reason code 0x…`. */
export function reasonCodeName(code: number): string {
  return NAMES.get(code) ?? `reason code 0x${code.toString(16).padStart(2, '0')}`;
}
