import { readFileSync } from 'node:fs';
import type { ClientOptions, TlsClientOptions } from '@robustmq/mqtt-client';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note } from '../output.ts';
import type { ClientFlags } from './client-flags.ts';

/** The variable that holds the password, so that it is in no process list. */
export const PASSWORD_VARIABLE = 'ROBUSTMQ_PASSWORD';

const VERSIONS = { '3.1': 3, '3.1.1': 4, '5': 5 } as const;
const SESSION_NEVER_EXPIRES = 0xffffffff;

/**
 * Turns flags into what the client is told; reads the files they name.
 *
 * @throws CommandError `usage` for flags that contradict each other, `inputOutput` for files
 */
export function clientOptionsFrom(flags: ClientFlags): ClientOptions {
  const tls = tlsFrom(flags);
  const version = VERSIONS[flags.protocol];
  const isPersistent = flags.persistent === true;
  if (isPersistent && flags.id === undefined) throw usage('-c needs a client identifier: -i');
  if (version !== 5 && (flags.sessionExpiry !== undefined || flags.willDelay !== undefined)) {
    throw usage('--session-expiry and --will-delay need -V 5');
  }
  const expiry = flags.sessionExpiry ?? (isPersistent ? SESSION_NEVER_EXPIRES : null);
  return {
    host: flags.host,
    ...(flags.port === undefined ? {} : { port: flags.port }),
    tls,
    version,
    // Before 3.1.1 a server cannot choose the identifier.
    clientId: flags.id ?? (version === 3 ? `robustctl-${String(process.pid)}` : ''),
    cleanStart: !isPersistent,
    keepAliveSeconds: flags.keepAlive,
    ...credentialsFrom(flags),
    will: willFrom(flags),
    properties: expiry === null ? {} : { sessionExpiryIntervalSeconds: expiry },
    timeoutMs: flags.timeout * 1000,
  };
}

function credentialsFrom(flags: ClientFlags): Pick<ClientOptions, 'username' | 'password'> {
  const fromFile =
    flags.passwordFile === undefined
      ? undefined
      : readFile(flags.passwordFile).toString('utf8').split(/\r?\n/)[0];
  if (flags.password !== undefined) {
    note(
      `robustctl: other users of this machine can read -P; ${PASSWORD_VARIABLE} or --password-file are safer`,
    );
  }
  const password = flags.password ?? fromFile ?? process.env[PASSWORD_VARIABLE];
  const isWanted =
    password !== undefined && (flags.username !== undefined || flags.password !== undefined);
  return {
    username: flags.username ?? null,
    password: isWanted ? Buffer.from(password, 'utf8') : null,
  };
}

function willFrom(flags: ClientFlags): ClientOptions['will'] & (object | null) {
  if (flags.willTopic === undefined) {
    if (flags.willPayload !== undefined) throw usage('--will-payload needs --will-topic');
    return null;
  }
  return {
    topic: flags.willTopic,
    payload: Buffer.from(flags.willPayload ?? '', 'utf8'),
    qos: flags.willQos,
    retain: flags.willRetain === true,
    properties: flags.willDelay === undefined ? {} : { willDelayIntervalSeconds: flags.willDelay },
  };
}

function tlsFrom(flags: ClientFlags): TlsClientOptions | null {
  const { cafile, cert, key } = flags;
  if ((cert === undefined) !== (key === undefined)) throw usage('--cert and --key belong together');
  const isWanted = flags.tls === true || cafile !== undefined || cert !== undefined;
  if (!isWanted) {
    if (flags.insecure === true) throw usage('--insecure needs --tls');
    return null;
  }
  return {
    certificateAuthority: cafile === undefined ? null : readFile(cafile),
    certificate: cert === undefined ? null : readFile(cert),
    privateKey: key === undefined ? null : readFile(key),
    verification: flags.insecure === true ? 'insecure' : 'verify',
    serverName: null,
  };
}

/** @throws CommandError that names the file */
export function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(ExitCode.inputOutput, `${path} cannot be read: ${reason}`, {
      cause: error,
    });
  }
}

/** A command line that contradicts itself. */
export function usage(message: string): CommandError {
  return new CommandError(ExitCode.usage, message);
}
