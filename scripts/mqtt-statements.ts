/**
 * The normative statements of MQTT 5.0 (OASIS Standard, 7 March 2019) and MQTT 3.1.1 (OASIS Standard,
 * 29 October 2014), by number.
 */

/** How many statements each section numbers: `[MQTT-<section>-1]` up to the count. */
const STATEMENTS_BY_SECTION: Readonly<Record<string, number>> = {
  '1.5.4': 3,
  '1.5.5': 1,
  '1.5.7': 1,
  '2.1.3': 1,
  '2.2.1': 6,
  '2.2.2': 1,
  '3.1.0': 2,
  '3.1.2': 30,
  '3.1.3': 12,
  '3.1.4': 6,
  '3.2.0': 2,
  '3.2.2': 22,
  '3.3.1': 13,
  '3.3.2': 20,
  '3.3.4': 10,
  '3.4.2': 3,
  '3.5.2': 3,
  '3.6.1': 1,
  '3.6.2': 3,
  '3.7.2': 3,
  '3.8.1': 1,
  '3.8.3': 5,
  '3.8.4': 8,
  '3.9.2': 2,
  '3.9.3': 2,
  '3.10.1': 1,
  '3.10.3': 2,
  '3.10.4': 6,
  '3.11.2': 2,
  '3.11.3': 2,
  '3.12.4': 1,
  '3.14.0': 1,
  '3.14.1': 1,
  '3.14.2': 4,
  '3.14.4': 3,
  '3.15.1': 1,
  '3.15.2': 3,
  '4.1.0': 2,
  '4.2.0': 1,
  '4.3.1': 1,
  '4.3.2': 5,
  '4.3.3': 13,
  '4.4.0': 2,
  '4.5.0': 2,
  '4.6.0': 6,
  '4.7.0': 1,
  '4.7.1': 2,
  '4.7.2': 1,
  '4.7.3': 4,
  '4.8.2': 6,
  '4.9.0': 3,
  '4.12.0': 7,
  '4.12.1': 2,
  '4.13.1': 1,
  '4.13.2': 1,
  '6.0.0': 4,
};

/** The standard does not use this number. */
const UNUSED = new Set(['MQTT-2.2.1-1']);

/** Duties of a client alone: a broker cannot break them. */
const OF_CLIENTS = new Set(
  (
    '2.2.1-3 3.1.2-20 3.1.2-30 3.2.2-4 3.2.2-5 3.2.2-11 3.2.2-14 3.2.2-15 3.2.2-17 3.2.2-18 ' +
    '3.2.2-21 3.3.2-9 3.3.2-10 4.5.0-2 4.6.0-1 4.6.0-2 4.6.0-3 4.6.0-4 4.12.1-1 6.0.0-3'
  )
    .split(' ')
    .map((number) => `MQTT-${number}`),
);

/** As above, of MQTT 3.1.1; its chapter 7, which is about conformance itself, is left out. */
const STATEMENTS_BY_SECTION_3_1_1: Readonly<Record<string, number>> = {
  '1.5.3': 3,
  '2.2.2': 2,
  '2.3.1': 7,
  '3.1.0': 2,
  '3.1.2': 24,
  '3.1.3': 11,
  '3.1.4': 5,
  '3.2.0': 1,
  '3.2.2': 6,
  '3.3.1': 12,
  '3.3.2': 3,
  '3.3.4': 1,
  '3.3.5': 2,
  '3.6.1': 1,
  '3.8.1': 1,
  '3.8.3': 4,
  '3.8.4': 6,
  '3.9.3': 2,
  '3.10.1': 1,
  '3.10.3': 2,
  '3.10.4': 6,
  '3.12.4': 1,
  '3.14.1': 1,
  '3.14.4': 3,
  '4.1.0': 2,
  '4.2.0': 1,
  '4.3.1': 1,
  '4.3.2': 2,
  '4.3.3': 2,
  '4.4.0': 1,
  '4.5.0': 2,
  '4.6.0': 6,
  '4.7.1': 3,
  '4.7.2': 1,
  '4.7.3': 4,
  '4.8.0': 2,
  '6.0.0': 4,
};

/** Duties of a client of 3.1.1 alone. */
const OF_CLIENTS_3_1_1 = new Set(
  (
    '2.3.1-2 2.3.1-3 3.1.2-23 3.1.3-7 3.14.4-1 3.14.4-2 4.5.0-2 4.6.0-1 4.6.0-2 4.6.0-3 ' +
    '4.6.0-4 6.0.0-3'
  )
    .split(' ')
    .map((number) => `MQTT-${number}`),
);

/** The statements that a broker can keep or break, in the standard's order. */
export const SERVER_STATEMENTS: Readonly<Record<'5.0' | '3.1.1', readonly string[]>> = {
  '5.0': numbered(STATEMENTS_BY_SECTION).filter(
    (statement) => !UNUSED.has(statement) && !OF_CLIENTS.has(statement),
  ),
  '3.1.1': numbered(STATEMENTS_BY_SECTION_3_1_1).filter(
    (statement) => !OF_CLIENTS_3_1_1.has(statement),
  ),
};

function numbered(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, index) => `MQTT-${section}-${index + 1}`),
  );
}
