/**
 * Commands as bytes, as the Raft log holds them.
 *
 * ```text
 *  byte      byte   …
 *  version   kind   fields in the order of the types in command.ts; STATE_MACHINE_VERSION
 *
 *  number    8 bytes, big-endian, at most 2^53 - 1     text, bytes   4 bytes of length, content
 *  nullable  1 byte 0 or 1, content when 1             list          4 bytes of count, elements
 * ```
 *
 * A decoder refuses everything that an encoder does not write, so that one command has one encoding.
 */
import { ByteWriter } from '@robustmq/bytes';
import { fail, type Result, succeed, unreachable } from '@robustmq/errors';
import type { Command } from './command.ts';
import { CommandReader, MalformedCommand } from './command-reader.ts';
import { writeNullableNumber, writeNullableText, writeNumber } from './command-fields.ts';
import type { LeaseId, Revision } from './identifiers.ts';
import { STATE_MACHINE_VERSION } from './limits.ts';
import { readTransaction, writeTransaction } from './transaction-codec.ts';

const TRANSACT = 1;
const GRANT_LEASE = 2;
const REVOKE_LEASE = 3;
const COMPACT = 4;

/** Why bytes are no command: they were damaged, or a later version wrote them. */
export interface CommandFault {
  readonly code: 'COMMAND_MALFORMED';
  readonly detail: string;
}

/** @param command  one that `validateTransaction` had nothing against */
export function encodeCommand(command: Command): Uint8Array {
  const writer = new ByteWriter(expectedBytes(command));
  writer.byte(STATE_MACHINE_VERSION);
  writeCommand(writer, command);
  return writer.view();
}

/** Enough for most commands: a wrong guess costs a copy. */
function expectedBytes(command: Command): number {
  if (command.kind !== 'transact') return 64;
  const { compare, then, otherwise } = command.transaction;
  let bytes = 64 + 128 * (compare.length + otherwise.length);
  for (const operation of then) {
    bytes += 48;
    if (operation.kind === 'put') bytes += operation.key.length + operation.value.length;
    else bytes += 2 * operation.range.first.length;
  }
  return bytes;
}

function writeCommand(writer: ByteWriter, command: Command): void {
  switch (command.kind) {
    case 'transact':
      writer.byte(TRANSACT);
      return writeTransaction(writer, command.transaction);
    case 'grantLease':
      writer.byte(GRANT_LEASE);
      writeNullableNumber(writer, command.id);
      writeNumber(writer, command.ttlSeconds);
      return writeNullableText(writer, command.requestId);
    case 'revokeLease':
      writer.byte(REVOKE_LEASE);
      writeNumber(writer, command.id);
      return writer.byte(command.reason === 'asked' ? 0 : 1);
    case 'compact':
      writer.byte(COMPACT);
      return writeNumber(writer, command.revision);
    default:
      return unreachable(command);
  }
}

/** Values in the command are views of `bytes`: nobody may write to them. Never throws. */
export function decodeCommand(bytes: Uint8Array): Result<Command, CommandFault> {
  try {
    const reader = new CommandReader(bytes);
    const command = readCommand(reader);
    reader.end();
    return succeed(command);
  } catch (error) {
    if (!(error instanceof MalformedCommand)) throw error;
    return fail({ code: 'COMMAND_MALFORMED', detail: error.message });
  }
}

function readCommand(reader: CommandReader): Command {
  const version = reader.byte();
  if (version !== STATE_MACHINE_VERSION) {
    throw new MalformedCommand(`its version is ${version}, not ${STATE_MACHINE_VERSION}`);
  }
  const kind = reader.byte();
  switch (kind) {
    case TRANSACT:
      return { kind: 'transact', transaction: readTransaction(reader) };
    case GRANT_LEASE:
      return {
        kind: 'grantLease',
        id: reader.nullable(() => reader.number()) as LeaseId | null,
        ttlSeconds: reader.number(),
        requestId: reader.nullable(() => reader.text()),
      };
    case REVOKE_LEASE: {
      const id = reader.number() as LeaseId;
      return { kind: 'revokeLease', id, reason: reader.flag() ? 'expired' : 'asked' };
    }
    case COMPACT:
      return { kind: 'compact', revision: reader.number() as Revision };
    default:
      throw new MalformedCommand(`kind ${kind} is not known`);
  }
}
