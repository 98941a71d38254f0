/** Between journal servers: `proto/robustmq/journal/v1/repair.proto`. */
import { codecOf } from '../codec/codec-of.ts';
import {
  readEntriesReply,
  type ReadEntriesReply,
  type ReadEntriesRequest,
  readReadEntries,
  writeEntriesReply,
  writeReadEntries,
} from '../codec/repair.ts';
import type { ServiceContract, UnaryMethod } from './method.ts';

/** Gives other servers what their replicas have lost. */
export interface RepairMethods {
  readonly readEntries: UnaryMethod<ReadEntriesRequest, ReadEntriesReply>;
}

const NAME = 'robustmq.journal.v1.RepairService';

/** {@link RepairMethods} */
export const repairService: ServiceContract<RepairMethods> = {
  name: NAME,
  methods: {
    readEntries: {
      kind: 'unary',
      path: `/${NAME}/ReadEntries`,
      request: codecOf(writeReadEntries, readReadEntries),
      reply: codecOf(writeEntriesReply, readEntriesReply),
    },
  },
};
