/**
 * Writes docs/reference/cli.md from the help texts of the command line.
 *
 * usage: node --conditions=source scripts/generate-cli-reference.ts
 */

import { writeFileSync } from 'node:fs';
import { createProgram } from '@robustmq/robustctl';
import type { Command } from 'commander';

const HEAD = `# Command line

Every command of \`robustctl\`, as \`--help\` shows it.
\`node --conditions=source scripts/generate-cli-reference.ts\` writes this page. In a checkout the
program is \`scripts/robustctl\`, in a release \`bin/robustctl\`.
`;
const COLUMNS = 98;

/** The whole page. */
export function cliReferencePage(): string {
  return HEAD + commandsBelow(createProgram(), '').join('');
}

/** The command and all below it, each with its own heading. */
function commandsBelow(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`.trim();
  const text = `\n## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  return [text, ...command.commands.flatMap((child) => commandsBelow(child, name))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => COLUMNS,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.replaceAll(/[ \t]+$/gm, '').trim();
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/reference/cli.md', import.meta.url), cliReferencePage());
}
