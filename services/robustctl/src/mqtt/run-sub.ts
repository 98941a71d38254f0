import { connect, describeEnd } from '@robustmq/mqtt-client';
import type { MqttClient } from '@robustmq/mqtt-client';
import type { SubFlags } from '../commands/sub-command.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note } from '../output.ts';
import { commandErrorOf } from './client-failure.ts';
import { clientOptionsFrom } from './client-options-from.ts';
import { messageText } from './message-text.ts';

/**
 * Subscribes and prints messages until enough have come, a signal ends it, or the connection does.
 *
 * @throws CommandError
 */
export async function runSub(flags: SubFlags): Promise<void> {
  try {
    const client = await connect(clientOptionsFrom(flags));
    await subscribe(client, flags);
    await printMessages(client, flags);
  } catch (error) {
    throw error instanceof CommandError ? error : commandErrorOf(error);
  }
}

async function subscribe(client: MqttClient, flags: SubFlags): Promise<void> {
  const granted = await client.subscribe(
    flags.topic.map((filter) => ({
      filter,
      qos: flags.qos,
      noLocal: flags.noLocal === true,
      retainAsPublished: flags.retainAsPublished === true,
      retainHandling: flags.retainHandling === 1 ? 1 : flags.retainHandling === 2 ? 2 : 0,
    })),
  );
  for (const [index, code] of granted.entries()) {
    const filter = flags.topic[index] ?? '';
    if (code >= 0x80) {
      await client.disconnect();
      const exitCode =
        code === 0x87 || code === 0x80 ? ExitCode.accessDenied : ExitCode.unavailable;
      throw new CommandError(
        exitCode,
        `the server refused the filter ${filter} (0x${code.toString(16)})`,
      );
    }
    if (flags.verbose === true) note(`subscribed to ${filter} with QoS ${String(code)}`);
  }
}

async function printMessages(client: MqttClient, flags: SubFlags): Promise<void> {
  let isOver = false;
  const endOnSignal = (): void => {
    isOver = true;
    void client.disconnect();
  };
  process.once('SIGINT', endOnSignal);
  process.once('SIGTERM', endOnSignal);
  const deadline =
    flags.wait === undefined ? undefined : setTimeout(endOnSignal, flags.wait * 1000);
  const format = flags.format ?? (flags.verbose === true ? 'topic' : 'payload');
  let printed = 0;
  for await (const message of client.messages()) {
    if (!process.stdout.write(`${messageText(message, format)}\n`)) await outputDrained();
    printed++;
    if (printed === flags.count) break;
  }
  clearTimeout(deadline);
  process.removeListener('SIGINT', endOnSignal);
  process.removeListener('SIGTERM', endOnSignal);
  if (printed === flags.count || (isOver && flags.count === undefined)) {
    await client.disconnect();
    return;
  }
  const end = await client.closed;
  if (!isOver) throw new CommandError(ExitCode.inputOutput, describeEnd(end));
  const wanted = String(flags.count);
  throw new CommandError(ExitCode.timedOut, `${String(printed)} of ${wanted} messages arrived`);
}

function outputDrained(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.once('drain', resolve);
  });
}
