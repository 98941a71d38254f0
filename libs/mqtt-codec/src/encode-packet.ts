import { assert } from '@robustmq/errors';
import { encodeAcknowledgement } from './acknowledgement.ts';
import { encodeAuth } from './auth.ts';
import { encodeConnack } from './connack.ts';
import { encodeConnect } from './connect.ts';
import { encodeDisconnect } from './disconnect.ts';
import type { Packet, ProtocolVersion } from './packet.ts';
import { encodePingreq, encodePingresp } from './ping.ts';
import { encodePublish } from './publish.ts';
import { encodeSuback } from './suback.ts';
import { encodeSubscribe } from './subscribe.ts';
import { encodeUnsuback } from './unsuback.ts';
import { encodeUnsubscribe } from './unsubscribe.ts';

/**
 * Encodes any packet into an array of its own. Before 5.0 properties, and reason codes where 3.x has
 * none, are dropped. CONNECT is encoded in the version it names, which must be `version`.
 *
 * The packet is the caller's word: a string above 65535 bytes, a packet identifier outside 1 to
 * 65535, a property that is not legal in the packet, or AUTH before 5.0 is a mistake of the
 * programmer and ends in an assertion. A lone surrogate is written as U+FFFD.
 */
export function encodePacket(packet: Packet, version: ProtocolVersion): Uint8Array {
  switch (packet.kind) {
    case 'connect':
      assert(packet.version === version, `CONNECT of ${packet.version} encoded for ${version}`);
      return encodeConnect(packet);
    case 'connack':
      return encodeConnack(packet, version);
    case 'publish':
      return encodePublish(packet, version);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return encodeAcknowledgement(packet, version);
    case 'subscribe':
      return encodeSubscribe(packet, version);
    case 'suback':
      return encodeSuback(packet, version);
    case 'unsubscribe':
      return encodeUnsubscribe(packet, version);
    case 'unsuback':
      return encodeUnsuback(packet, version);
    case 'pingreq':
      return encodePingreq();
    case 'pingresp':
      return encodePingresp();
    case 'disconnect':
      return encodeDisconnect(packet, version);
    case 'auth':
      assert(version === 5, 'AUTH exists in 5.0 only');
      return encodeAuth(packet);
  }
}
