import type { BrokerCounters } from './broker-counters.ts';

/**
 * Counts a refused CONNECT under the class of its reason code (MQTT-5.0 §3.2.2.2).
 *
 * There are as many label values as classes, not as codes a peer could provoke. A 3.1.1 return code
 * is passed as the 5.0 reason code that it stands for.
 */
export function countRefusedConnect(counters: BrokerCounters, reasonCode: number): void {
  switch (reasonCode) {
    case 0x81: // Malformed Packet
    case 0x82: // Protocol Error
    case 0x95: // Packet too large
      counters.connectsRefusedMalformed += 1;
      return;
    case 0x84: // Unsupported Protocol Version
      counters.connectsRefusedUnsupportedVersion += 1;
      return;
    case 0x85: // Client Identifier not valid
      counters.connectsRefusedClientIdentifier += 1;
      return;
    case 0x86: // Bad User Name or Password
    case 0x8c: // Bad authentication method
      counters.connectsRefusedCredentials += 1;
      return;
    case 0x87: // Not authorized
      counters.connectsRefusedNotAuthorized += 1;
      return;
    case 0x88: // Server unavailable
    case 0x89: // Server busy
    case 0x97: // Quota exceeded
      counters.connectsRefusedBusy += 1;
      return;
    case 0x9f: // Connection rate exceeded
      counters.connectsRefusedRate += 1;
      return;
    case 0x8a: // Banned
      counters.connectsRefusedBanned += 1;
      return;
    default:
      counters.connectsRefusedOther += 1;
  }
}
