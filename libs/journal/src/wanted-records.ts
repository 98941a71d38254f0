/** Whether a record is one that a selector wants, told from the record itself. */
import { sameBytes } from './byte-keys.ts';
import type { RecordSelector } from './journal.ts';
import type { RecordBatchReader } from './record-batch-reader.ts';

/** Selectors that name the value of an attribute. */
export type AttributeSelector = RecordSelector & { readonly kind: 'attribute' };

/** The current record of the cursor; selectors of topics are answered too, though slowly. */
export function isWanted(cursor: RecordBatchReader, selector: RecordSelector): boolean {
  switch (selector.kind) {
    case 'everything':
      return true;
    case 'topics': {
      if (cursor.topicLength === 0) return false;
      const topic = cursor.topic();
      return selector.exact.includes(topic) || selector.matches?.(topic) === true;
    }
    case 'attribute': {
      const { value } = selector;
      const start = cursor.attributeStart(selector.attribute);
      if (start < 0 || cursor.attributeLength(selector.attribute) !== value.length) return false;
      return sameBytes(cursor.bytes, start, value, 0, value.length);
    }
  }
}
