/**
 * The text of a scenario as paragraphs, and back.
 *
 * Invariant: writing what was parsed, with the outputs unchanged, gives the same text.
 */
import { parseCommand, type ScenarioCommand } from './command.ts';

interface Paragraph {
  /** Everything up to and including the line `----`, as it stands in the file. */
  readonly head: readonly string[];
  readonly commands: readonly ScenarioCommand[];
  readonly expected: readonly string[];
  /** Comments and empty lines that follow. */
  readonly tail: readonly string[];
}

/** Runs the commands of one paragraph and says what there is to see; '' counts as `ok`. */
export type RunParagraph = (commands: readonly ScenarioCommand[]) => string;

export interface ScenarioOutcome {
  /** The scenario as it would have to be written to pass. */
  readonly rewritten: string;
  /** One per paragraph that differs, with its line, what was expected and what was seen. */
  readonly mismatches: readonly string[];
}

const SEPARATOR = '----';

export function runScenario(text: string, run: RunParagraph): ScenarioOutcome {
  const mismatches: string[] = [];
  const lines: string[] = [];
  for (const paragraph of parseScenario(text)) {
    lines.push(...paragraph.head);
    if (paragraph.commands.length > 0) {
      const seen = seenLines(run(paragraph.commands));
      const isEqual = seen.join('\n') === paragraph.expected.map(withoutNote).join('\n');
      lines.push(...(isEqual ? paragraph.expected : seen));
      if (!isEqual) mismatches.push(describeMismatch(paragraph, seen));
    }
    lines.push(...paragraph.tail);
  }
  return { rewritten: lines.join('\n'), mismatches };
}

function parseScenario(text: string): readonly Paragraph[] {
  const lines = text.split('\n');
  const paragraphs: Paragraph[] = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    while (at < lines.length && lines[at] !== SEPARATOR) at += 1;
    const head = lines.slice(start, at + 1);
    at += 1;
    const expectedAt = at;
    while (at < lines.length && lines[at] !== '') at += 1;
    const expected = lines.slice(expectedAt, at);
    const tailAt = at;
    while (at < lines.length && isQuiet(lines[at] ?? '')) at += 1;
    const commands = head.at(-1) === SEPARATOR ? commandsOf(head, start) : [];
    paragraphs.push({ head, commands, expected, tail: lines.slice(tailAt, at) });
  }
  return paragraphs;
}

function commandsOf(head: readonly string[], start: number): readonly ScenarioCommand[] {
  const commands: ScenarioCommand[] = [];
  for (const [at, line] of head.entries()) {
    if (line === SEPARATOR || isQuiet(line)) continue;
    commands.push(parseCommand(line.trim(), start + at + 1));
  }
  return commands;
}

function isQuiet(line: string): boolean {
  return line === '' || line.startsWith('#');
}

function seenLines(output: string): readonly string[] {
  const text = output.trimEnd();
  return text === '' ? ['ok'] : text.split('\n').map((line) => line.trimEnd());
}

/** An expectation may explain itself: `1: commit=3   # the median`. */
function withoutNote(line: string): string {
  return line.replace(/\s+# .*$/, '');
}

function describeMismatch(paragraph: Paragraph, seen: readonly string[]): string {
  const line = paragraph.commands[0]?.line ?? 0;
  const expected = paragraph.expected.map((each) => `  - ${each}`).join('\n');
  return `line ${line}\n${expected}\n${seen.map((each) => `  + ${each}`).join('\n')}`;
}
