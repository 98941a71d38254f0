import { PlacementError } from '@robustmq/placement';
import { RpcError, RpcSetupError, rpcStatus } from '@robustmq/rpc';
import { CommandError, ExitCode } from '../exit-code.ts';
import type { ServerConnection } from './connection.ts';

/** Turns what a call to the placement center throws into a sentence and an exit code. */
export function callFailure(error: unknown, { servers }: ServerConnection): unknown {
  const fault = faultOf(error);
  if (fault !== null) {
    const message = fault instanceof PlacementError ? fault.message : String(error);
    return new CommandError(exitCodeOf(fault.fault.code), message, { cause: error });
  }
  if (error instanceof RpcSetupError) {
    return new CommandError(ExitCode.inputOutput, error.message, { cause: error });
  }
  if (!(error instanceof RpcError)) return error;
  const where = servers.join(', ');
  if (error.status === rpcStatus.UNAVAILABLE) {
    return new CommandError(
      ExitCode.unavailable,
      `no placement center answers at ${where}: ${error.message}`,
      { cause: error },
    );
  }
  if (error.status === rpcStatus.DEADLINE_EXCEEDED) {
    return new CommandError(ExitCode.timedOut, `no answer from ${where} in time`, { cause: error });
  }
  if (error.status === rpcStatus.UNIMPLEMENTED) {
    return new CommandError(
      ExitCode.unavailable,
      `${where} has no members of its own to show or change: it is no placement center, or one with backend = "etcd"`,
      { cause: error },
    );
  }
  return new CommandError(ExitCode.failed, `${where}: ${error.message}`, { cause: error });
}

function faultOf(error: unknown): PlacementError | null {
  if (error instanceof PlacementError) return error;
  if (error instanceof RpcError && error.fault !== null) return new PlacementError(error.fault);
  return null;
}

function exitCodeOf(code: string): ExitCode {
  switch (code) {
    case 'PLACEMENT_UNAUTHENTICATED':
      return ExitCode.accessDenied;
    case 'PLACEMENT_INVALID':
      return ExitCode.usage;
    case 'PLACEMENT_UNAVAILABLE':
    case 'PLACEMENT_NOT_LEADER':
    case 'PLACEMENT_OVERLOADED':
      return ExitCode.unavailable;
    case 'PLACEMENT_OUTCOME_UNKNOWN':
      return ExitCode.timedOut;
    default:
      return ExitCode.failed;
  }
}
