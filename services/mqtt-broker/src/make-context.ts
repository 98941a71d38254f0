import { Message, RetainedStore, Router } from '@robustmq/broker';
import {
  createAcknowledgementFields,
  createFrame,
  createPublishFields,
  PUBLISH_RULES_FROM_CLIENT,
} from '@robustmq/mqtt-codec';
import type { AuthenticationMethod } from '@robustmq/mqtt-session';
import type { BrokerCounters, BrokerHistograms, Logger } from '@robustmq/telemetry';
import type { AccessControl } from './access-control.ts';
import { BrokerContext } from './broker-context.ts';
import { type BrokerEnvironment, systemEnvironment } from './broker-environment.ts';
import { OutputChunks } from './connection/output-chunks.ts';
import { PublishEncoder } from './connection/publish-encoder.ts';
import { GroupRegistry } from './durable/group-registry.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { Wills } from './session/wills.ts';
import type { BrokerSettings } from './settings.ts';

/** LIMIT: topicsCachedMax */
const TOPICS_CACHED_MAX = 1_000_000;

/** What a context shares with the outside; everything else it has for itself. */
export interface ContextParts {
  readonly settings: BrokerSettings;
  readonly logger: Logger;
  readonly counters: BrokerCounters;
  readonly histograms: BrokerHistograms;
  readonly access: AccessControl;
  readonly methods: readonly AuthenticationMethod[];
  /** That of the machine, if not said. */
  readonly environment?: BrokerEnvironment;
}

/** An empty broker; its storage and its presence are still to be set. */
export function makeContext(parts: ContextParts): BrokerContext {
  const { settings, methods, environment = systemEnvironment } = parts;
  const { limits } = settings;
  const encoder = new TextEncoder();
  const router = new Router({
    topicsCachedMax: TOPICS_CACHED_MAX,
    strategy: settings.sharedSubscriptions.strategy,
    encode: (name) => encoder.encode(name),
  });
  const context = new BrokerContext({
    settings,
    environment,
    logger: parts.logger,
    counters: parts.counters,
    histograms: parts.histograms,
    router,
    retained: new RetainedStore({
      messagesMax: limits.retainedMessagesMax,
      bytesMax: limits.retainedBytesMax,
      seed: environment.random.uint32(),
    }),
    access: parts.access,
    encoder: new PublishEncoder(),
    chunks: new OutputChunks(),
    authenticationMethods: new Map(methods.map((method) => [method.name, method])),
    frame: createFrame(),
    publishFields: createPublishFields({
      ...PUBLISH_RULES_FROM_CLIENT,
      userPropertiesMax: limits.userPropertiesPerPacketMax,
    }),
    acknowledgementFields: createAcknowledgementFields(),
    message: new Message(router.topicOf('-')),
  });
  context.sessions = new SessionRegistry(context);
  context.groups = new GroupRegistry(context);
  context.wills = new Wills(context);
  return context;
}
