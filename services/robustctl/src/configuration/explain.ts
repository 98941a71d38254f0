import { explainKeys, keysOf, nearestName } from '@robustmq/config';
import type { KeyExplanation } from '@robustmq/config';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print } from '../output.ts';
import type { OutputFormat } from '../output.ts';
import { knownComponent, schemaOf } from './component-schema.ts';
import { templateOf } from './templates.ts';

/** Prints what keys mean. @throws CommandError `usage` for a key that does not exist */
export function explainConfiguration(
  key: string,
  componentName: string,
  output: OutputFormat,
): void {
  const schema = schemaOf(knownComponent(componentName));
  const explanations = explainKeys(schema, key);
  if (explanations.length === 0) {
    const near = nearestName(
      key,
      keysOf(schema).map((known) => known.path),
    );
    const hint = near === null ? '' : `; did you mean ${near}?`;
    throw new CommandError(ExitCode.usage, `no key or section is named ${key}${hint}`);
  }
  if (output === 'json') print(JSON.stringify(explanations, null, 2));
  else print(explanations.map(explanationText).join('\n\n'));
}

/** Prints the annotated file of a component. */
export function printTemplate(componentName: string): void {
  process.stdout.write(templateOf(knownComponent(componentName).defaultFile));
}

function explanationText(explanation: KeyExplanation): string {
  const lines = [
    explanation.key,
    `  ${explanation.meaning}`,
    `  default      ${explanation.default}`,
    `  allowed      ${explanation.range}`,
  ];
  if (explanation.unit !== null) lines.push(`  unit         ${explanation.unit}`);
  if (explanation.reason !== '') lines.push(`  why          ${explanation.reason}`);
  lines.push(`  environment  ${explanation.variable}`);
  if (explanation.aliases.length > 0)
    lines.push(`  also         ${explanation.aliases.join(', ')}`);
  return lines.join('\n');
}
