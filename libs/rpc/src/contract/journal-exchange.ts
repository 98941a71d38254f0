/** The data plane of the journal servers: `proto/robustmq/journal/v1/journal.proto`. */
import { bytesCodec } from '../codec/codec-of.ts';
import { journalRequestsCodec, type JournalRequest } from '../codec/journal-requests.ts';
import { journalRepliesCodec, type JournalReply } from '../codec/journal-replies.ts';
import type { DuplexMethod, ServiceContract } from './method.ts';

/** Appends, reads and tails of shards. */
export interface JournalMethods {
  readonly exchange: DuplexMethod<readonly JournalRequest[], readonly JournalReply[]>;
}

const NAME = 'robustmq.journal.v1.JournalService';
const exchange = { kind: 'duplex', path: `/${NAME}/Exchange` } as const;

/** {@link JournalMethods} */
export const journalService: ServiceContract<JournalMethods> = {
  name: NAME,
  methods: {
    exchange: { ...exchange, request: journalRequestsCodec, reply: journalRepliesCodec },
  },
};

/** As a client calls it: each request is encoded once, before it waits. */
export interface CalledJournalMethods {
  readonly exchange: DuplexMethod<Uint8Array, readonly JournalReply[]>;
}

/** {@link CalledJournalMethods} */
export const calledJournalService: ServiceContract<CalledJournalMethods> = {
  name: NAME,
  methods: { exchange: { ...exchange, request: bytesCodec, reply: journalRepliesCodec } },
};

/** As a server serves it: each reply is encoded once, before it waits. */
export interface ServedJournalMethods {
  readonly exchange: DuplexMethod<readonly JournalRequest[], Uint8Array>;
}

/** {@link ServedJournalMethods} */
export const servedJournalService: ServiceContract<ServedJournalMethods> = {
  name: NAME,
  methods: { exchange: { ...exchange, request: journalRequestsCodec, reply: bytesCodec } },
};
