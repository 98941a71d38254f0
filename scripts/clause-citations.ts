/**
 * Which normative statements of MQTT does a file cite?
 *
 * The version that was named last holds for the tags after it, within a comment or string, and in a
 * test file beyond it, since a suite names its version once. A pair of strings `['[…]', '[…]']` without a
 * version names the statement of MQTT 5.0 and then that of MQTT 3.1.1.
 */

import type { Token } from './source-tokens.ts';
import type { SourceFile } from './workspace.ts';

export type MqttVersion = '5.0' | '3.1.1' | '3.1';

export interface ClauseCitation {
  readonly version: MqttVersion;
  /** Such as `MQTT-3.3.1-2`. */
  readonly statement: string;
  readonly kind: 'cited' | 'deviation';
}

const MARK =
  /(?<deviation>DEVIATION\()?MQTT-(?<version>5\.0|3\.1\.1|3\.1)(?![\d.]*-\d)|\[(?<statement>MQTT-\d+(?:\.\d+)*-\d+)/g;

/** All citations of one file, repeated ones included. */
export function clauseCitations(file: SourceFile): readonly ClauseCitation[] {
  const found: ClauseCitation[] = [];
  let carried: MqttVersion | undefined;
  for (const [index, token] of file.tokens.entries()) {
    if (!['comment', 'string', 'template'].includes(token.kind)) continue;
    const start = file.role === 'test' ? carried : versionInPair(file.tokens, index);
    carried = citationsIn(token.text, start, found) ?? carried;
  }
  return found;
}

/** Appends to `found`; returns the version that held at the end. */
function citationsIn(
  text: string,
  start: MqttVersion | undefined,
  found: ClauseCitation[],
): MqttVersion | undefined {
  let version = start;
  let kind: ClauseCitation['kind'] = 'cited';
  for (const { groups } of text.matchAll(MARK)) {
    const statement = groups?.['statement'];
    if (statement === undefined) {
      version = groups?.['version'] as MqttVersion;
      kind = groups?.['deviation'] === undefined ? 'cited' : 'deviation';
    } else if (version !== undefined) {
      found.push({ version, statement: normalized(statement), kind });
    }
  }
  return version;
}

function versionInPair(tokens: readonly Token[], index: number): MqttVersion | undefined {
  if (tokens[index]?.kind !== 'string') return undefined;
  const before = tokens[index - 1];
  if (before?.text === '[') return '5.0';
  const isSecond = before?.text === ',' && tokens[index - 3]?.text === '[';
  return isSecond ? '3.1.1' : undefined;
}

/** The standard writes one statement in two ways. */
function normalized(statement: string): string {
  return statement === 'MQTT-4.2-1' ? 'MQTT-4.2.0-1' : statement;
}
