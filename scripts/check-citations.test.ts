import { expect, test } from 'vitest';
import { citationFindings } from './check-citations.ts';
import { sourceFile } from './workspace.ts';

const rows = [
  ['// MQTT-5.0 [MQTT-4.7.1-1], [MQTT-4.7.1-2]', [], 'a version holds for the tags after it'],
  ['// See [MQTT-4.7.1-1].', ['a clause tag without a version'], 'a tag alone is ambiguous'],
  ['// [MQTT-4.7.1-1] of MQTT-5.0', ['a clause tag without a version'], 'the version goes first'],
  [
    '// MQTT-3.1.1 [MQTT-3.1.2-24]\n// and [MQTT-3.1.2-25]',
    [],
    'lines of one comment belong together',
  ],
  ['// Raft §5.4.2, Figure 8', [], 'a paper is a source'],
  ['/** Wake up (RFC 6455 §5.5.1). */', [], 'so is an RFC'],
  ['// MQTT 3.1 §3.2', [], 'the first version has no tags'],
  ['// PROXY §2.1: one line', [], 'a name in capitals is a source'],
  [
    '/** Without its standard: `[MQTT-2.2.1-3]`, `§4.8`, `TODO`. */',
    [],
    'code in prose is no citation',
  ],
  ['/** Written once (MQTT-5.0\n * §3.3); see the thesis §4.3. */', [], 'a line break is a space'],
  ['// as §3.3 says', ['a section sign without its source'], 'a bare section is ambiguous'],
  ["const text = '[MQTT-1.5.4-1]';", [], 'a string is no citation'],
  ['// TODO: later', ['a TODO without an issue'], 'a TODO needs an owner'],
  ['// TODO(#12): later', [], 'an issue is one'],
] as const;

for (const [text, expected, why] of rows) {
  test(`${why}: ${text}`, () => {
    const findings = citationFindings(sourceFile('libs/x/src/a.ts', `${text}\n`));
    expect(findings.map((finding) => finding.message)).toEqual(expected);
  });
}
