/**
 * Does every citation say which version of which standard it means?
 *
 * `[MQTT-3.3.1-2]` is a different statement in MQTT 3.1.1 and in MQTT 5.0, and `§3.3.1` alone could be
 * anything. The version stands before the first tag of a comment and holds until another one comes.
 * A TODO names its issue.
 */

import type { Check, Finding } from './finding.ts';
import type { Token } from './source-tokens.ts';
import { allFiles, type SourceFile, type Workspace } from './workspace.ts';

const CLAUSE_TAG = /\[MQTT-\d+(?:\.\d+)*-\d+[a-z]?\]/;
const MQTT_VERSION = /MQTT-(?:5\.0|3\.1\.1|3\.1)(?![\d.]*-\d)/;
const SECTION = /§/;
/** What stands right before a section sign: `MQTT-5.0`, `Raft thesis`, `RFC 6455`, `style.md`. */
const SOURCE = /(?:\b[A-Z][\w.-]*(?: [\d.]+)?|\bthesis|\w\.md|[\d.]+,) *$/;

export function checkCitations(workspace: Workspace): Check {
  return {
    rule: 'citations carry a version',
    reason: 'The same clause number means different things in MQTT 3.1.1 and MQTT 5.0.',
    wayOut:
      'Write MQTT-5.0 [MQTT-4.7.1-1], MQTT-3.1.1 §3.1.2, Raft §5.4.2, RFC 6455 §5.5.1; TODO(#12).',
    severity: 'error',
    findings: allFiles(workspace)
      .filter((file) => !file.path.startsWith('scripts/'))
      .flatMap(citationFindings),
  };
}

/** The citations of one file that leave their source open. */
export function citationFindings(file: SourceFile): readonly Finding[] {
  return paragraphs(file.tokens).flatMap(({ text, line }) => {
    const prose = text.replaceAll(/\n\s*(?:\*|\/\/)?\s*/g, ' ').replaceAll(/`[^`]*`/g, '');
    const messages: string[] = [];
    if (lacks(prose, CLAUSE_TAG, MQTT_VERSION)) messages.push('a clause tag without a version');
    if (lacks(prose, SECTION, SOURCE)) messages.push('a section sign without its source');
    if (/\bTODO\b(?!\(#\d+\))/.test(prose)) messages.push('a TODO without an issue');
    return messages.map((message) => ({ path: file.path, line, message }));
  });
}

/** Whether `mark` occurs in the text with no `source` before it. */
function lacks(text: string, mark: RegExp, source: RegExp): boolean {
  const at = text.search(mark);
  return at !== -1 && !source.test(text.slice(0, at));
}

/** Comments, with line comments on consecutive lines joined into one. */
function paragraphs(
  tokens: readonly Token[],
): readonly { readonly text: string; readonly line: number }[] {
  const joined: { text: string; line: number; lastLine: number }[] = [];
  for (const token of tokens) {
    if (token.kind !== 'comment') continue;
    const previous = joined.at(-1);
    if (previous !== undefined && token.line === previous.lastLine + 1) {
      previous.text += `\n${token.text}`;
      previous.lastLine = token.line;
    } else {
      const lastLine = token.line + token.text.split('\n').length - 1;
      joined.push({ text: token.text, line: token.line, lastLine });
    }
  }
  return joined;
}
