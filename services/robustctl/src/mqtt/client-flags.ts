import { Command, InvalidArgumentError, Option } from 'commander';

/** The flags that `pub` and `sub` share, as commander gives them. */
export interface ClientFlags {
  readonly host: string;
  readonly port?: number;
  readonly id?: string;
  readonly protocol: '3.1' | '3.1.1' | '5';
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly keepAlive: number;
  readonly persistent?: true;
  readonly sessionExpiry?: number;
  readonly timeout: number;
  readonly tls?: true;
  readonly cafile?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: true;
  readonly willTopic?: string;
  readonly willPayload?: string;
  readonly willQos: 0 | 1 | 2;
  readonly willRetain?: true;
  readonly willDelay?: number;
}

/** Adds the flags to a command. `-h` means the host, as in other MQTT tools; help is `--help`. */
export function addClientFlags(command: Command): Command {
  return command
    .helpOption('--help', 'show this help')
    .option('-h, --host <host>', 'the broker', '127.0.0.1')
    .option('-p, --port <port>', 'its port (default: 1883, with TLS 8883)', wholeNumber(1, 65_535))
    .option('-i, --id <client-id>', 'client identifier (default: the broker chooses)')
    .addOption(
      new Option('-V, --protocol <version>', 'protocol version')
        .choices(['3.1', '3.1.1', '5'])
        .default('5'),
    )
    .option('-u, --username <name>', 'user name')
    .option(
      '-P, --password <password>',
      'password; other users of this machine can see it: better ROBUSTMQ_PASSWORD or --password-file',
    )
    .option('--password-file <file>', 'a file whose first line is the password')
    .option('-k, --keep-alive <seconds>', 'keep alive', wholeNumber(0, 65_535), 60)
    .option('-c, --persistent', 'keep the session: go on with the one the broker has')
    .option(
      '--session-expiry <seconds>',
      'how long the session outlives the connection (5 only)',
      wholeNumber(0, 0xffffffff),
    )
    .option('--timeout <seconds>', 'how long to wait for an answer', wholeNumber(1, 86_400), 30)
    .option('--tls', 'use TLS')
    .option('--cafile <file>', 'trust these authorities (PEM); implies --tls')
    .option('--cert <file>', 'show this certificate (PEM); needs --key; implies --tls')
    .option('--key <file>', 'its private key (PEM)')
    .option('--insecure', 'accept any certificate: for tests only')
    .option('--will-topic <topic>', 'publish a will message there if this client is cut off')
    .option('--will-payload <text>', 'what the will message says')
    .option('--will-qos <qos>', 'its QoS', qosNumber, 0)
    .option('--will-retain', 'retain it')
    .option(
      '--will-delay <seconds>',
      'wait before it is published (5 only)',
      wholeNumber(0, 0xffffffff),
    );
}

/** Reads a whole number within a range, both ends allowed. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(
      `Expected a whole number from ${String(minimum)} to ${String(maximum)}.`,
    );
  };
}

/** Reads a QoS. */
export function qosNumber(text: string): 0 | 1 | 2 {
  if (text === '0' || text === '1' || text === '2') return Number(text) as 0 | 1 | 2;
  throw new InvalidArgumentError('Expected 0, 1 or 2.');
}

/** Collects a flag that may be given several times. */
export function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
