import { Command } from 'commander';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import { addClientFlags, collect, qosNumber, wholeNumber } from '../mqtt/client-flags.ts';
import type { ClientFlags } from '../mqtt/client-flags.ts';

/** The flags of `pub`. */
export interface PubFlags extends ClientFlags {
  readonly topic: string;
  readonly message?: string;
  readonly file?: string;
  readonly lines?: true;
  readonly qos: 0 | 1 | 2;
  readonly retain?: true;
  readonly count: number;
  readonly property: readonly string[];
  readonly userProperty: readonly string[];
  readonly verbose?: true;
}

/** `robustctl pub`. */
export function pubCommand(): Command {
  return addClientFlags(new Command('pub').alias('publish'))
    .description('publish messages')
    .requiredOption('-t, --topic <topic>', 'where to publish')
    .option('-m, --message <text>', 'the message')
    .option('-f, --file <file>', 'a file that is the message; - is standard input')
    .option('-l, --lines', 'every line of standard input is a message')
    .option('-q, --qos <qos>', 'QoS', qosNumber, 0)
    .option('-r, --retain', 'the broker keeps it for later subscribers')
    .option('--count <number>', 'publish it so many times', wholeNumber(1, 1_000_000_000), 1)
    .option('--property <name=value>', 'a property of the message (5 only)', collect, [])
    .option('--user-property <name=value>', 'a user property (5 only)', collect, [])
    .option('-v, --verbose', 'say what was acknowledged')
    .addHelpText('after', HELP + EXIT_CODES_HELP)
    .action(async (flags: PubFlags) => {
      const { runPub } = await import('../mqtt/run-pub.ts');
      await runPub(flags);
    });
}

const HELP = `
Examples:
  robustctl pub -t hello/world -m 'it works' -q 1
  robustctl pub -t state/lamp -m on -r
  robustctl pub -t camera/1 -f picture.jpg --property content-type=image/jpeg
  tail -f readings.csv | robustctl pub -t readings -l -q 1
  robustctl pub -h broker.example --tls -u alice --password-file secret -t a -m b

It ends once every message with QoS 1 or 2 is acknowledged.`;
