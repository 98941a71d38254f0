import { atMost, type Figure, told } from '../figures.ts';
import type { LedgerFigures } from './ledger.ts';

/** What the ledger says, beside what it must say. */
export function ledgerFigures(ledger: LedgerFigures): Figure[] {
  return [
    told('published', ledger.published),
    told('acknowledged', ledger.acknowledged),
    told('refused', ledger.refused),
    told('delivered', ledger.delivered),
    told('repeated (QoS 1)', ledger.repeatedQos1),
    atMost('lost', ledger.lost, 0),
    atMost('duplicated (QoS 2)', ledger.duplicatedQos2, 0),
    atMost('reordered', ledger.reordered, 0),
    atMost('corrupted', ledger.corrupted, 0),
    atMost('sessions lost', ledger.sessionsLost, 0),
    atMost('retained wrong', ledger.retainedWrong, 0),
    atMost('wills lost', ledger.willsLost, 0),
    atMost('wills unasked', ledger.willsUnasked, 0),
  ];
}
