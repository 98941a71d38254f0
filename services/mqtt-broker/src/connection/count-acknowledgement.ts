import type { BrokerCounters } from '@robustmq/telemetry';

/** @param header  first byte: 0x40 PUBACK, 0x50 PUBREC, 0x62 PUBREL, 0x70 PUBCOMP */
export function countAcknowledgement(counters: BrokerCounters, header: number): void {
  if (header === 0x40) counters.pubackSent += 1;
  else if (header === 0x50) counters.pubrecSent += 1;
  else if (header === 0x62) counters.pubrelSent += 1;
  else counters.pubcompSent += 1;
}
