import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROXY_HEADER_BYTES_MAX, parseProxyHeader } from './proxy-header.ts';
import { ProxyHeaderReader } from './proxy-header-reader.ts';
import { v2Header } from './testing/proxy-headers.ts';

const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const LONG_IPV6 = 'ffff:f:ffff:ffff:ffff:ffff:ffff:ffff';

describe('version 1 (PROXY §2.1)', () => {
  const good = [
    // line, address, port, why
    ['PROXY TCP4 192.0.2.1 198.51.100.1 56324 443', '192.0.2.1', 56324, 'IPv4'],
    ['PROXY TCP4 255.255.255.255 0.0.0.0 65535 0', '255.255.255.255', 65535, 'the extremes'],
    ['PROXY TCP6 2001:db8::1 ::1 1 65535', '2001:db8::1', 1, 'IPv6'],
    ['PROXY TCP6 2001:DB8::1 ::1 1 2', '2001:db8::1', 1, 'IPv6 is told in lower case'],
    [`PROXY TCP6 ${LONG_IPV6} ${LONG_IPV6} 65535 65535`, LONG_IPV6, 65535, 'the longest'],
  ] as const;
  for (const [line, address, port, why] of good) {
    test(`tells the source: ${why}`, () => {
      expect(parseProxyHeader(ascii(`${line}\r\nrest`))).toEqual({
        kind: 'complete',
        byteLength: line.length + 2,
        source: { address, port },
      });
    });
  }

  for (const line of ['PROXY UNKNOWN', 'PROXY UNKNOWN whatever it says 1 2 3 4']) {
    test(`leaves the socket's address: ${line}`, () => {
      const byteLength = line.length + 2;
      expect(parseProxyHeader(ascii(`${line}\r\n`))).toEqual({
        kind: 'complete',
        byteLength,
        source: null,
      });
    });
  }

  const bad = [
    ['GET / HTTP/1.1\r\n', 'not a header at all'],
    ['proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n', 'lower case'],
    ['PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n', 'two spaces'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n', 'a trailing space'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', 'no destination port'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n', 'one word too many'],
    ['PROXY TCP4 ::1 ::1 1 2\r\n', 'IPv6 under TCP4'],
    ['PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n', 'IPv4 under TCP6'],
    ['PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n', 'a zone'],
    ['PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n', 'no address'],
    ['PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n', 'a leading zero in an address'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n', 'a leading zero in a port'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n', 'no port'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n', 'a negative port'],
    ['PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n', 'an unknown protocol'],
    ['PROXY UNKNOWNX\r\n', 'UNKNOWN must end there'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n', 'LF alone'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX', 'CR alone'],
    ['PROXY UNKNOWN \0\r\n', 'a control character'],
    [`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, '108 bytes'],
    [`PROXY UNKNOWN ${'x'.repeat(200)}`, 'no end in sight'],
  ] as const;
  for (const [text, why] of bad) {
    test(`refuses ${why}`, () => {
      expect(parseProxyHeader(ascii(text)).kind).toBe('malformed');
    });
  }

  test('takes a line of exactly 107 bytes', () => {
    const line = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(line).toHaveLength(107);
    expect(parseProxyHeader(ascii(line)).kind).toBe('complete');
  });
});

describe('version 2 (PROXY §2.2)', () => {
  const inet = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];
  const inet6 = (first: readonly number[]): number[] => [
    ...first,
    ...Array(16).fill(0),
    0,
    1,
    0,
    2,
  ];
  const documentation = [0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 1];
  const mapped = [...Array(10).fill(0), 0xff, 0xff, 192, 0, 2, 7];

  const good = [
    // command, family and transport, payload, source, why
    [0x21, 0x11, inet, { address: '192.0.2.1', port: 56324 }, 'IPv4'],
    [0x21, 0x21, inet6(documentation), { address: '2001:db8::1', port: 1 }, 'IPv6'],
    [0x21, 0x21, inet6(Array(16).fill(0)), { address: '::', port: 1 }, 'an address of zeros'],
    [0x21, 0x21, inet6(mapped), { address: '192.0.2.7', port: 1 }, 'IPv4-mapped IPv6'],
    [0x21, 0x11, [...inet, 0x04, 0, 2, 9, 9], { address: '192.0.2.1', port: 56324 }, 'a TLV'],
    [0x21, 0x31, Array(216).fill(7), null, 'a UNIX socket has no address'],
    [0x21, 0x00, [], null, 'unspecified'],
    [0x21, 0x00, [1, 2, 3], null, 'unspecified, with bytes to skip'],
    [0x20, 0x00, [], null, 'LOCAL'],
    [0x20, 0xff, inet, null, 'LOCAL ignores all the rest'],
  ] as const;
  for (const [command, family, payload, source, why] of good) {
    test(`reads ${why}`, () => {
      const header = v2Header(command, family, payload);
      const followed = Buffer.concat([header, ascii('rest')]);
      const complete = { kind: 'complete', byteLength: header.length, source };
      expect(parseProxyHeader(followed)).toEqual(complete);
    });
  }

  const bad = [
    [0x11, 0x11, inet, 'version 1 in binary'],
    [0x22, 0x11, inet, 'an unknown command'],
    [0x21, 0x41, inet, 'an unknown family'],
    [0x21, 0x12, inet, 'datagrams'],
    [0x21, 0x10, inet, 'a family without a transport'],
    [0x21, 0x03, [], 'an unknown transport'],
    [0x21, 0x11, inet.slice(1), 'too short for IPv4'],
    [0x21, 0x21, inet, 'too short for IPv6'],
    [0x21, 0x31, Array(215).fill(0), 'too short for UNIX'],
    [0x21, 0x11, [...inet, 0x04], 'half a TLV'],
    [0x21, 0x11, [...inet, 0x04, 0, 3, 9, 9], 'a TLV past the end'],
    [0x21, 0x11, Array(4097).fill(0), 'more than the limit'],
  ] as const;
  for (const [command, family, payload, why] of bad) {
    test(`refuses ${why}`, () => {
      expect(parseProxyHeader(v2Header(command, family, payload)).kind).toBe('malformed');
    });
  }

  test('an excessive length is refused before its bytes arrive', () => {
    expect(parseProxyHeader(v2Header(0x21, 0x11, Array(5000).fill(0)).subarray(0, 16)).kind).toBe(
      'malformed',
    );
  });
});

const anyHeader = fc.oneof(
  fc.constant(ascii('PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n')),
  fc.constant(ascii('PROXY UNKNOWN\r\n')),
  fc
    .record({
      family: fc.constantFrom(0x11, 0x21, 0x00),
      payload: fc.uint8Array({ maxLength: 80 }),
    })
    .map(({ family, payload }) => v2Header(0x21, family, [...payload])),
);

describe('any bytes', () => {
  test('every proper prefix of a header that is complete is incomplete', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        fc.pre(parseProxyHeader(header).kind === 'complete');
        for (let length = 0; length < header.length; length += 1) {
          expect(parseProxyHeader(header.subarray(0, length)).kind).toBe('incomplete');
        }
      }),
      { numRuns: 60 },
    );
  });

  test('mutated and random bytes never throw, and never ask for more than the limit', () => {
    const mutated = fc
      .tuple(anyHeader, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([header, changes]) => {
        const bytes = Uint8Array.from(header);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        const result = parseProxyHeader(bytes);
        if (result.kind !== 'complete') return;
        expect(result.byteLength).toBeLessThanOrEqual(bytes.length);
        expect(parseProxyHeader(bytes.subarray(0, result.byteLength))).toEqual(result);
      }),
      { numRuns: 2000 },
    );
    const endless = new Uint8Array(PROXY_HEADER_BYTES_MAX);
    endless.set(v2Header(0x21, 0x11, Array(4096).fill(0)).subarray(0, 16));
    expect(parseProxyHeader(endless).kind).not.toBe('incomplete');
  });

  test('the reader finds the same header however the bytes are cut', () => {
    fc.assert(
      fc.property(anyHeader, fc.array(fc.integer({ min: 1, max: 20 })), (header, cuts) => {
        const whole = parseProxyHeader(header);
        fc.pre(whole.kind === 'complete');
        const bytes = Buffer.concat([header, ascii('rest')]);
        const reader = new ProxyHeaderReader();
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const step = reader.push(bytes, at, Math.min(at + cut, bytes.length));
          if (step.kind === 'complete') {
            expect(bytes.subarray(step.next).toString()).toBe('rest');
            return;
          }
          expect(step.kind).toBe('incomplete');
          at += cut;
        }
      }),
      { numRuns: 200 },
    );
  });
});
