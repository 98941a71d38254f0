import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REDACTED, redactFields } from './redaction.ts';

describe('redaction', () => {
  const rows = [
    { fields: { password: 'pwd123' }, why: 'a password' },
    { fields: { Password: 'pwd123' }, why: 'in any case' },
    { fields: { authenticationData: new Uint8Array([1]) }, why: 'authentication data of MQTT 5.0' },
    { fields: { authentication_data: 'pwd123' }, why: 'in snake case' },
    { fields: { 'api-key': 'pwd123' }, why: 'in kebab case' },
    { fields: { connect: { will: { payload: 'pwd123' } } }, why: 'deep inside' },
    { fields: { users: [{ name: 'a', password: 'pwd123' }] }, why: 'inside a list' },
    { fields: { token: { inner: 'pwd123' } }, why: 'an object as a whole' },
  ];
  test.each(rows)('leaves nothing of $why', ({ fields }) => {
    const text = JSON.stringify(redactFields(fields));
    expect(text).toContain(REDACTED);
    expect(text).not.toContain('pwd123');
  });

  test('finds secrets in the fault of an error', () => {
    const err = Object.assign(new Error('refused'), { fault: { password: 'pwd123' } });
    expect(JSON.stringify(redactFields({ err }))).not.toContain('pwd123');
  });

  test('leaves other fields as they are and the input untouched', () => {
    const fields = { clientId: 'c1', port: 1883, tls: false, username: null, password: 'x' };
    expect(redactFields(fields)).toEqual({ ...fields, password: REDACTED });
    expect(fields.password).toBe('x');
  });

  test('cuts long texts, gives bytes as their number, and ends in deep structures', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const copy = redactFields({ topic: 'x'.repeat(5_000), bytes: new Uint8Array(12), loop });
    expect(String(copy['topic']).length).toBeLessThan(600);
    expect(copy['bytes']).toBe('<12 bytes>');
    expect(JSON.stringify(copy['loop'])).toContain('[deeper]');
  });

  test('ends and can be written as JSON for any value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true })), (fields) => {
        expect(() => JSON.stringify(redactFields(fields))).not.toThrow();
      }),
    );
  });
});
