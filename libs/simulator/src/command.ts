/** The commands of the simulated key-value store, as the bytes of a log entry. */

/** A written value: a unique number, or 0 for "absent". */
export type Value = number;

export type Operation =
  | { readonly kind: 'get'; readonly key: number }
  | { readonly kind: 'put'; readonly key: number; readonly value: Value }
  | {
      readonly kind: 'compareAndSet';
      readonly key: number;
      readonly expected: Value;
      readonly value: Value;
    };

/** A write with the identity under which it is applied once, however often it is sent. */
export interface Command {
  readonly client: number;
  readonly sequence: number;
  readonly operation: Operation;
}

const COMMAND_BYTES = 24;

export function encodeCommand(command: Command): Uint8Array {
  const { operation } = command;
  const bytes = new Uint8Array(COMMAND_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, command.client);
  view.setUint32(4, command.sequence);
  view.setUint32(8, operation.kind === 'get' ? 0 : operation.kind === 'put' ? 1 : 2);
  view.setUint32(12, operation.key);
  view.setUint32(16, operation.kind === 'get' ? 0 : operation.value);
  view.setUint32(20, operation.kind === 'compareAndSet' ? operation.expected : 0);
  return bytes;
}

export function decodeCommand(bytes: Uint8Array): Command {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const client = view.getUint32(0);
  const sequence = view.getUint32(4);
  return { client, sequence, operation: decodeOperation(view) };
}

function decodeOperation(view: DataView): Operation {
  const key = view.getUint32(12);
  const value = view.getUint32(16);
  switch (view.getUint32(8)) {
    case 0:
      return { kind: 'get', key };
    case 1:
      return { kind: 'put', key, value };
    default:
      return { kind: 'compareAndSet', key, expected: view.getUint32(20), value };
  }
}
