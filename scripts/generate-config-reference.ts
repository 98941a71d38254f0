/**
 * Writes docs/reference/config.md from the schema that checks configuration files.
 *
 * usage: node --conditions=source scripts/generate-config-reference.ts
 */

import { writeFileSync } from 'node:fs';
import type { KeyDeclaration, RowsDeclaration, SectionDeclaration } from '@robustmq/config';
import { journalServerSchema } from '@robustmq/journal-server/configuration';
import { brokerSchema } from '@robustmq/mqtt-broker';
import { placementCenterSchema } from '@robustmq/placement-center/configuration';

const HEAD = `# Configuration

Every key of \`config/standalone.toml\` and \`config/mqtt-server.toml\`, then those of
\`config/placement-center.toml\` and \`config/journal-server.toml\`. This page is generated from the schemas that check those files; \`node --conditions=source scripts/generate-config-reference.ts\` writes it.

An environment variable wins over the file, and the file over the default. The variable of a key is
\`ROBUST_MQ_SERVER_\`, its section and its name in capitals, such as
\`ROBUST_MQ_SERVER_NETWORK_TCP_PORT\` for \`tcp_port\` in \`[network]\`. Unknown keys are refused, with the
nearest known name. Sizes are integers in bytes or texts such as \`"64 MiB"\`.

\`robustctl config check FILE\` prints what holds and where each value comes from;
\`robustctl config explain KEY\` prints one row of this page.
`;

const OBSOLETE = `
## Keys without effect

Files of RobustMQ may hold these. They are accepted, do nothing, and cause a warning.

| Key | Why |
|---|---|
`;

type Section =
  | SectionDeclaration<Record<string, unknown>>
  | RowsDeclaration<Record<string, unknown>>;

/** The whole page. */
export function configReferencePage(): string {
  const sections = Object.values(brokerSchema.sections) as unknown as readonly Section[];
  const obsolete = brokerSchema.obsolete.map(({ path, reason }) => row([`\`${path}\``, reason]));
  return `${HEAD}${sections.map((section) => sectionText(section, '')).join('')}${OBSOLETE}${obsolete.join('\n')}\n${serverTexts()}`;
}

function serverTexts(): string {
  const servers = [
    { of: 'Placement center: ', schema: placementCenterSchema },
    { of: 'Journal server: ', schema: journalServerSchema },
  ];
  return servers
    .flatMap(({ of, schema }) => {
      const sections = Object.values(schema.sections) as unknown as readonly Section[];
      return sections.map((section) => sectionText(section, of));
    })
    .join('');
}

function sectionText(section: Section, of: string): string {
  const keys = Object.entries(section.keys) as readonly (readonly [
    string,
    KeyDeclaration<unknown>,
  ])[];
  const rows = keys.map(([name, key]) =>
    row([
      `\`${name}\``,
      `\`${key.write(key.default)}\``,
      allowed(key),
      wordsOf(section, name, key),
    ]),
  );
  const head = '| Key | Default | Allowed | Meaning |\n|---|---|---|---|\n';
  return `\n## ${of}${titleOf(section)}\n\n${section.meaning}\n\n${head}${rows.join('\n')}\n`;
}

function titleOf({ kind, name }: Section): string {
  if (kind === 'rows') return `\`[[${name}]]\``;
  return name === '' ? 'At the top of the file' : `\`[${name}]\``;
}

function allowed(key: KeyDeclaration<unknown>): string {
  return key.unit === null || key.range.includes(key.unit)
    ? key.range
    : `${key.range} (${key.unit})`;
}

function wordsOf(section: Section, name: string, key: KeyDeclaration<unknown>): string {
  if (section.kind === 'rows') {
    return `${key.meaning} ${section.required.includes(name) ? 'Must be given.' : 'May be left out.'}`;
  }
  const aliases = key.aliases.map((alias) => `\`${alias}\``).join(', ');
  const words = `${key.meaning} ${key.reason}`;
  return aliases === '' ? words : `${words} Also accepted as: ${aliases}.`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/reference/config.md', import.meta.url), configReferencePage());
}
