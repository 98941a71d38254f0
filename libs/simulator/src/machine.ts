/** The replicated state machine: numbers under keys, and what each client was last told. */
import type { Command, Operation, Value } from './command.ts';
import { mixed } from './trace.ts';

interface ClientSession {
  readonly sequence: number;
  readonly result: Value;
}

/** How one command went. */
export interface Applied {
  /** The value read or written; of a compare-and-set 1 when it succeeded, else 0. */
  readonly result: Value;
  /** False for a command that an earlier copy already carried out. */
  readonly executed: boolean;
}

export class KeyValueMachine {
  readonly #values = new Map<number, Value>();
  readonly #sessions = new Map<number, ClientSession>();
  /** Sum of the hashes of all parts, so that one change costs the same in any state. */
  #digest = 0;

  /** Equal states have equal digests; different ones almost never. */
  get digest(): number {
    return this.#digest;
  }

  get(key: number): Value {
    return this.#values.get(key) ?? 0;
  }

  apply(command: Command, deduplication: 'on' | 'off'): Applied {
    const session = this.#sessions.get(command.client);
    if (deduplication === 'on' && session !== undefined && command.sequence <= session.sequence) {
      return { result: session.result, executed: false };
    }
    const result = this.#execute(command.operation);
    this.#setSession(command.client, { sequence: command.sequence, result });
    return { result, executed: true };
  }

  /** The whole state as bytes. */
  serialize(): Uint8Array {
    const content = { values: [...this.#values], sessions: [...this.#sessions] };
    return new TextEncoder().encode(JSON.stringify(content));
  }

  static parse(bytes: Uint8Array): KeyValueMachine {
    const machine = new KeyValueMachine();
    if (bytes.length === 0) return machine;
    const content = JSON.parse(new TextDecoder().decode(bytes)) as {
      values: [number, Value][];
      sessions: [number, ClientSession][];
    };
    for (const [key, value] of content.values) machine.#setValue(key, value);
    for (const [client, session] of content.sessions) machine.#setSession(client, session);
    return machine;
  }

  forgetSessions(): void {
    for (const [client, session] of this.#sessions) this.#digest -= sessionHash(client, session);
    this.#digest |= 0;
    this.#sessions.clear();
  }

  #execute(operation: Operation): Value {
    switch (operation.kind) {
      case 'get':
        return this.get(operation.key);
      case 'put':
        this.#setValue(operation.key, operation.value);
        return operation.value;
      case 'compareAndSet':
        if (this.get(operation.key) !== operation.expected) return 0;
        this.#setValue(operation.key, operation.value);
        return 1;
    }
  }

  #setValue(key: number, value: Value): void {
    const before = this.#values.get(key);
    if (before !== undefined) this.#digest = (this.#digest - mixed(key + 1, before)) | 0;
    this.#values.set(key, value);
    this.#digest = (this.#digest + mixed(key + 1, value)) | 0;
  }

  #setSession(client: number, session: ClientSession): void {
    const before = this.#sessions.get(client);
    if (before !== undefined) this.#digest = (this.#digest - sessionHash(client, before)) | 0;
    this.#sessions.set(client, session);
    this.#digest = (this.#digest + sessionHash(client, session)) | 0;
  }
}

function sessionHash(client: number, session: ClientSession): number {
  return mixed(mixed(client + 7919, session.sequence), session.result);
}
