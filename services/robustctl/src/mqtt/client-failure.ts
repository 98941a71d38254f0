import { MqttClientError } from '@robustmq/mqtt-client';
import type { ClientFault } from '@robustmq/mqtt-client';
import { CommandError, ExitCode } from '../exit-code.ts';

/** Reason codes that mean: you may not (MQTT-5.0 §2.4). */
const DENIED: ReadonlySet<number> = new Set([0x86, 0x87, 0x8a, 0x8c]);
/** Return codes of 3.1.1 CONNACK: bad user name or password, not authorized (MQTT-3.1.1 §3.2.2.3). */
const DENIED_RETURN_CODES: ReadonlySet<number> = new Set([4, 5]);

/** Translates what the client met into a sentence and an exit code; anything else is thrown on. */
export function commandErrorOf(error: unknown): CommandError {
  if (!(error instanceof MqttClientError)) throw error;
  return new CommandError(exitCodeOf(error.fault), error.message, { cause: error });
}

function exitCodeOf(fault: ClientFault): ExitCode {
  switch (fault.code) {
    case 'CLIENT_UNREACHABLE':
      return ExitCode.unavailable;
    case 'CLIENT_CONNECT_REFUSED': {
      const denied = DENIED.has(fault.reasonCode) || DENIED_RETURN_CODES.has(fault.reasonCode);
      return denied ? ExitCode.accessDenied : ExitCode.unavailable;
    }
    case 'CLIENT_REFUSED':
      return DENIED.has(fault.reasonCode) ? ExitCode.accessDenied : ExitCode.unavailable;
    case 'CLIENT_TIMED_OUT':
      return ExitCode.timedOut;
    case 'CLIENT_CLOSED':
      return ExitCode.inputOutput;
  }
}
