/** What a service is, on both sides of a connection: its methods and how their messages look as bytes. */

/** Between a message and its bytes. Whoever decodes owns the result. */
export interface Codec<Message> {
  encode(message: Message): Uint8Array;
  /** @throws Error when the bytes are no such message */
  decode(bytes: Uint8Array): Message;
  /** Messages that mean the same together and each fit into the wire's limit; absent: it is one anyway. */
  parts?(message: Message): readonly Message[];
}

/** One request, one reply. */
export interface UnaryMethod<Request, Reply> extends Method<Request, Reply> {
  readonly kind: 'unary';
}

/** One request, any number of replies. */
export interface ServerStreamMethod<Request, Reply> extends Method<Request, Reply> {
  readonly kind: 'serverStream';
}

/** Any number in both directions. */
export interface DuplexMethod<Request, Reply> extends Method<Request, Reply> {
  readonly kind: 'duplex';
}

interface Method<Request, Reply> {
  /** Such as `/robustmq.placement.v1.KvService/Range`. */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly reply: Codec<Reply>;
}

/** Any method, when only its shape matters. */
export type AnyMethod =
  | UnaryMethod<never, unknown>
  | ServerStreamMethod<never, unknown>
  | DuplexMethod<never, unknown>;

/** A service: one contract for those who serve it and those who call it. */
export interface ServiceContract<Methods> {
  /** Such as `robustmq.placement.v1.KvService`. */
  readonly name: string;
  readonly methods: Methods;
}
