import { Command, Option } from 'commander';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import { addClientFlags, collect, qosNumber, wholeNumber } from '../mqtt/client-flags.ts';
import type { ClientFlags } from '../mqtt/client-flags.ts';
import type { MessageFormat } from '../mqtt/message-text.ts';

/** The flags of `sub`. */
export interface SubFlags extends ClientFlags {
  readonly topic: readonly string[];
  readonly qos: 0 | 1 | 2;
  readonly count?: number;
  readonly wait?: number;
  readonly format?: MessageFormat;
  readonly verbose?: true;
  readonly noLocal?: true;
  readonly retainAsPublished?: true;
  readonly retainHandling: number;
}

/** `robustctl sub`. */
export function subCommand(): Command {
  return addClientFlags(new Command('sub').alias('subscribe'))
    .description('print messages as they arrive')
    .requiredOption(
      '-t, --topic <filter>',
      'a topic filter; may be given several times',
      collect,
      [],
    )
    .option('-q, --qos <qos>', 'highest QoS', qosNumber, 0)
    .option('--count <number>', 'end after so many messages', wholeNumber(1, 1_000_000_000))
    .option(
      '--wait <seconds>',
      'end after so long; with --count that is a failure (exit code 75)',
      wholeNumber(1, 86_400),
    )
    .addOption(
      new Option('--format <format>', 'how to print them (default: payload)').choices([
        'payload',
        'topic',
        'json',
        'hex',
      ]),
    )
    .option('-v, --verbose', 'print topics too, and say what was subscribed')
    .option('--no-local', 'not what this client published itself (5 only)')
    .option('--retain-as-published', 'keep the retain flag of messages (5 only)')
    .option(
      '--retain-handling <0|1|2>',
      'retained messages: 0 send, 1 when new, 2 never (5 only)',
      wholeNumber(0, 2),
      0,
    )
    .addHelpText('after', HELP + EXIT_CODES_HELP)
    .action(async (flags: SubFlags & { readonly local?: boolean }) => {
      const { runSub } = await import('../mqtt/run-sub.ts');
      // Commander stores `--no-local` as `local: false`.
      await runSub(flags.local === false ? { ...flags, noLocal: true } : flags);
    });
}

const HELP = `
Examples:
  robustctl sub -t 'hello/#' -v
  robustctl sub -t sensors/+/temperature -t alarms/# -q 1 --format json
  robustctl sub -t '$share/workers/jobs' -q 1
  robustctl sub -t orders -i billing -c -q 1       a session that survives
  robustctl sub -t answer --count 1 --wait 10`;
