import { expect, test } from 'vitest';
import { clauseCitations } from './clause-citations.ts';
import { sourceFile } from './workspace.ts';

const rows = [
  ['a.ts', '// MQTT-5.0 [MQTT-3.3.1-1], [MQTT-3.3.1-2]', '5.0 3.3.1-1, 5.0 3.3.1-2', 'one version'],
  [
    'a.ts',
    '// MQTT-3.1.1 [MQTT-3.1.2-1]; MQTT-5.0 [MQTT-4.2-1]',
    '3.1.1 3.1.2-1, 5.0 4.2.0-1',
    'two',
  ],
  ['a.ts', '// [MQTT-3.3.1-1]', '', 'no version, no citation'],
  ['a.ts', '// DEVIATION(MQTT-5.0 [MQTT-3.3.1-1]): why', 'deviation 3.3.1-1', 'a deviation'],
  ['a.ts', "x = ['[MQTT-2.2.1-3]', '[MQTT-2.3.1-1]'];", '5.0 2.2.1-3, 3.1.1 2.3.1-1', 'a pair'],
  ['a.test.ts', "test('MQTT-5.0', () => {}); why('[MQTT-3.3.1-1]');", '5.0 3.3.1-1', 'a suite'],
] as const;

for (const [path, text, expected, why] of rows) {
  test(`${why}: ${text}`, () => {
    const found = clauseCitations(sourceFile(path, text)).map(
      ({ version, statement, kind }) =>
        `${kind === 'deviation' ? kind : version} ${statement.replace('MQTT-', '')}`,
    );
    expect(found.join(', ')).toBe(expected);
  });
}
