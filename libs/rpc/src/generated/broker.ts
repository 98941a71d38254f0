// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.
import type { UnaryMethod } from '../contract/method.ts';

/** A connected client. */
export interface Client {
  readonly clientId: string;
  /** Empty: none. */
  readonly userName: string;
  /** As host:port. */
  readonly remoteAddress: string;
  /** 3, 4 or 5: MQTT 3.1, 3.1.1 or 5.0. */
  readonly protocolLevel: number;
  /** To the second. */
  readonly connectedAtMs: number;
  readonly listener: string;
  readonly subscriptions: number;
}

/** Asks for connected clients. */
export interface ListClientsRequest {
  /** Only connections opened after this one, a number from a reply; 0: from the first. */
  readonly after: number;
  /** 0: as many as the server allows. */
  readonly limit: number;
}

/** A page of connected clients. */
export interface ListClientsReply {
  readonly clients: readonly Client[];
  /** Where the next page begins; 0: this was the last. */
  readonly next: number;
}

/** Ends a connection. */
export interface KickClientRequest {
  readonly clientId: string;
}

/** The connection is closed. */
export interface KickClientReply {
  /** There was one. */
  readonly kicked: boolean;
}

/** Sends clients away. */
export interface DrainRequest {
  /** Clients a second; 0: 200. */
  readonly clientsPerSecond: number;
  /** The only broker that they are sent to; 0: all others in turn. */
  readonly toBroker: number;
  /**
   * The clients are told 0x9D (Server moved): they do well to keep the new address. Else 0x9C, for the
   * time being.
   */
  readonly permanent: boolean;
}

/** Lets clients in again. */
export type UndrainRequest = object;

/** Asks how far a drain is. */
export type GetDrainRequest = object;

/** How far a drain is. */
export interface DrainStatus {
  readonly draining: boolean;
  /** That are still connected here. */
  readonly clients: number;
  /**
   * That are still here, with a client or on their way to the shared store. 0 of both: the broker can be
   * stopped and nobody notices.
   */
  readonly sessions: number;
  /** That were sent away since the drain began. */
  readonly sentAway: number;
}

/** Looks at the connections of a broker and ends them. Every call is safe to repeat. */
export interface MqttBrokerMethods {
  /** Lists connected clients, in the order in which their connections were opened. */
  readonly listClients: UnaryMethod<ListClientsRequest, ListClientsReply>;
  /** Ends the connection of one client with 0x98. Its session stays as long as it would otherwise. */
  readonly kickClient: UnaryMethod<KickClientRequest, KickClientReply>;
  /**
   * Sends all clients to other brokers, and lets none in. FAILED_PRECONDITION when no other broker takes
   * them.
   */
  readonly drain: UnaryMethod<DrainRequest, DrainStatus>;
  /** Lets clients in again. */
  readonly undrain: UnaryMethod<UndrainRequest, DrainStatus>;
  /** How far a drain is. */
  readonly getDrain: UnaryMethod<GetDrainRequest, DrainStatus>;
}
