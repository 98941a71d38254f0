import { describeMessage, describeNode } from '../describe.ts';
import type { CommandRun } from './command-run.ts';

/** `status [node=(1,2)]`: role, term, log and commit index. */
export const status: CommandRun = (scenario, command) => {
  const wanted = command.numbers('node');
  return [...scenario.nodes.values()]
    .filter((node) => wanted.length === 0 || wanted.includes(node.id))
    .map((node) => `${describeNode(node)}\n`)
    .join('');
};

/** `messages`: what is under way. */
export const messages: CommandRun = (scenario) =>
  scenario.mail.length === 0
    ? 'none\n'
    : scenario.mail.map((message) => `${describeMessage(message)}\n`).join('');
