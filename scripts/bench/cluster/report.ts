/** The section of docs/benchmarks.md about clusters of brokers. */

import type { ClusterRow, PartResult } from './part-result.ts';

export function tableOf(rows: readonly ClusterRow[]): string {
  const lines = ['| Scenario | Figure | RobustMQ | NATS | RabbitMQ | Goal | Verdict |'];
  lines.push('| --- | --- | --- | --- | --- | --- | --- |');
  for (const row of rows) {
    const verdict = row.isMet === null ? '–' : row.isMet ? 'goal met' : 'missed';
    const cells = [row.scenario, row.figure, row.value, row.nats, row.rabbitmq, row.goal, verdict];
    lines.push(`| ${cells.map((cell) => (cell === '' ? '–' : cell)).join(' | ')} |`);
  }
  return lines.join('\n');
}

export function sectionText(results: readonly PartResult[]): string {
  const judged = results.flatMap(({ rows }) => rows).filter(({ isMet }) => isMet !== null);
  const met = judged.filter(({ isMet }) => isMet === true).length;
  const machine = results.at(-1)?.machine ?? [];
  return [
    '## A cluster of brokers',
    `Written by \`make bench-cluster\`: three members of the placement center, three journal servers and the ` +
      `brokers as processes of one machine with two cores; ${met} of ${judged.length} goals met.`,
    tableOf(results.flatMap(({ rows }) => rows)),
    results.flatMap(({ notes }) => notes.map((note) => `- ${note}`)).join('\n'),
    [
      ...machine.filter(([name]) => name !== 'RobustMQ' && name !== 'Load average before'),
      ...results.map(({ part, date, machine: facts }) => {
        const commit = facts.find(([name]) => name === 'RobustMQ')?.[1] ?? '';
        return [`Part ${part}`, `${date}, ${commit}`] as const;
      }),
    ]
      .map(([name, text]) => `- ${name}: ${text}`)
      .join('\n'),
  ].join('\n\n');
}
