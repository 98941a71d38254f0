import { expect, test } from 'vitest';
import { type CounterField, createBrokerCounters } from './broker-counters.ts';
import { countRefusedConnect } from './refused-connect.ts';

const rows: readonly { code: number; field: CounterField; why: string }[] = [
  { code: 0x81, field: 'connectsRefusedMalformed', why: 'Malformed Packet' },
  { code: 0x84, field: 'connectsRefusedUnsupportedVersion', why: 'Unsupported Protocol Version' },
  { code: 0x85, field: 'connectsRefusedClientIdentifier', why: 'Client Identifier not valid' },
  { code: 0x86, field: 'connectsRefusedCredentials', why: 'Bad User Name or Password' },
  { code: 0x87, field: 'connectsRefusedNotAuthorized', why: 'Not authorized' },
  { code: 0x89, field: 'connectsRefusedBusy', why: 'Server busy' },
  { code: 0x8a, field: 'connectsRefusedBanned', why: 'Banned' },
  { code: 0x9f, field: 'connectsRefusedRate', why: 'Connection rate exceeded' },
  { code: 0x80, field: 'connectsRefusedOther', why: 'Unspecified error' },
  {
    code: 0xff,
    field: 'connectsRefusedOther',
    why: 'a code that nobody knows adds no label value',
  },
];

test.each(rows)('a CONNECT refused with $code ($why) counts as $field', ({ code, field }) => {
  const counters = createBrokerCounters();
  countRefusedConnect(counters, code);
  const expected = createBrokerCounters();
  expected[field] = 1;
  expect(counters).toEqual(expected);
});
