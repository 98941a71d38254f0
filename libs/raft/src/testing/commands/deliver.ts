import type { CommandRun } from './command-run.ts';

/** `deliver [to=(1,2)] [from=(1)] [kind=voteRequest]`: these messages arrive, without what follows. */
export const deliver: CommandRun = (scenario, command) => {
  const [to, from] = [command.numbers('to'), command.numbers('from')];
  const { mail } = scenario;
  scenario.mail = [];
  for (const message of mail) {
    const isMeant =
      (to.length === 0 || to.includes(message.to)) &&
      (from.length === 0 || from.includes(message.from)) &&
      (!command.has('kind') || command.text('kind') === message.kind);
    if (isMeant) scenario.deliver(message);
    else scenario.mail.push(message);
  }
  return '';
};

/** `lose`: every message under way is lost. */
export const lose: CommandRun = (scenario) => {
  scenario.mail = [];
  return '';
};

/** `settle`: messages arrive until there are none. */
export const settle: CommandRun = (scenario) => {
  scenario.settle();
  return '';
};
