/** `proto/grpc/health/v1/health.proto`. */
import type { Codec } from '../contract/method.ts';
import { codecOf } from './codec-of.ts';
import { nameOf } from './key-value.ts';

/** How a service does. */
export type ServingStatus = 'unknown' | 'serving' | 'notServing' | 'serviceUnknown';

/** Asks about one service; empty: the server as a whole. */
export interface HealthRequest {
  readonly service: string;
}

/** The answer. */
export interface HealthReply {
  readonly status: ServingStatus;
}

const STATUSES = ['unknown', 'serving', 'notServing', 'serviceUnknown'] as const;

/** Of HealthCheckRequest. */
export const healthRequestCodec: Codec<HealthRequest> = codecOf(
  (writer, request) => writer.text(1, request.service),
  (reader) => {
    let service = '';
    while (reader.next()) {
      if (reader.field === 1) service = reader.text();
      else reader.skip();
    }
    return { service };
  },
);

/** Of HealthCheckResponse. */
export const healthReplyCodec: Codec<HealthReply> = codecOf(
  (writer, reply) => writer.uint(1, STATUSES.indexOf(reply.status)),
  (reader) => {
    let status = 0;
    while (reader.next()) {
      if (reader.field === 1) status = reader.uint();
      else reader.skip();
    }
    return { status: nameOf(STATUSES, status) };
  },
);
