import { describe, expect, test } from 'vitest';
import { type HistoryLine, HistoryFormatError } from './history-file.ts';
import { checkHistory, checkHistoryText } from './history-verdict.ts';
import { SeededRandom } from './random.ts';

/**
 * A history that is linearizable by construction: each operation takes effect at one instant
 * between its call and its return; some are never answered and take effect late or never.
 */
function recordedHistory(
  seed: number,
  count: number,
  clients: number,
  keys: number,
): HistoryLine[] {
  const random = new SeededRandom(seed);
  const effects: { readonly at: number; readonly run: () => void }[] = [];
  const values = new Map<string, string>();
  const lines: HistoryLine[] = [];
  const freeAt = Array.from({ length: clients }, () => 0);
  for (let at = 0; at < count; at += 1) {
    const client = at % clients;
    const invokeNs = (freeAt[client] ?? 0) + random.between(1, 50);
    const isLost = random.chance(0.02);
    const effectNs = invokeNs + random.between(1, isLost ? 5_000 : 100);
    const returnNs = isLost ? null : effectNs + random.between(1, 100);
    freeAt[client] = returnNs ?? invokeNs + 300;
    const key = `k${random.below(keys)}`;
    const draw = random.below(10);
    const line = { client, key, invokeNs, returnNs };
    const happens = !isLost || random.chance(0.5);
    effects.push({
      at: effectNs,
      run: () => {
        if (happens) lines.push(performed(line, draw, `v${at}`, values));
        else lines.push({ ...line, op: 'put', value: `never${at}`, result: null });
      },
    });
  }
  for (const effect of effects.toSorted((left, right) => left.at - right.at)) effect.run();
  return lines;
}

function performed(
  line: Pick<HistoryLine, 'client' | 'key' | 'invokeNs' | 'returnNs'>,
  draw: number,
  value: string,
  values: Map<string, string>,
): HistoryLine {
  const { key } = line;
  const current = values.get(key) ?? null;
  if (draw < 4) return { ...line, op: 'get', result: current };
  if (draw < 7) {
    values.set(key, value);
    return { ...line, op: 'put', value, result: null };
  }
  if (draw < 8) {
    values.delete(key);
    return { ...line, op: 'delete', result: current !== null };
  }
  const expected = draw === 8 ? current : 'another';
  const succeeds = expected === current;
  if (succeeds) values.set(key, value);
  return { ...line, op: 'cas', expected, value, result: succeeds };
}

describe('a recorded history', () => {
  test('of 100,000 operations by 8 clients on 10 keys is judged', () => {
    const verdict = checkHistory(recordedHistory(1, 100_000, 8, 10));
    expect(verdict.text).toBe('linearizable');
    expect(verdict).toMatchObject({ operations: 100_000, keys: 10 });
    expect(verdict.unknown).toBeGreaterThan(1_000);
  });

  test('is rejected when one read of many is stale, and names the read', () => {
    const lines = recordedHistory(2, 20_000, 8, 4);
    const at = lines.findIndex(
      ({ op, result, returnNs }, index) =>
        index > 10_000 && op === 'get' && result !== null && returnNs !== null,
    );
    const stale = { ...(lines[at] as HistoryLine), result: 'v1' };
    lines[at] = stale;
    const verdict = checkHistory(lines);
    expect(verdict.linearizable).toBe(false);
    expect(verdict.text).toContain(JSON.stringify(stale));
  });

  test('is read from text, one operation a line', () => {
    const text = recordedHistory(3, 200, 4, 2)
      .map((line) => JSON.stringify(line))
      .join('\n');
    expect(checkHistoryText(`${text}\n`)).toMatchObject({ linearizable: true, operations: 200 });
  });

  test('does not depend on the order of its lines', () => {
    const lines = recordedHistory(4, 500, 4, 2);
    expect(checkHistory(new SeededRandom(1).shuffled(lines)).linearizable).toBe(true);
  });

  test.each([
    ['{', 'not JSON'],
    ['{"client":1,"op":"get","key":"a","invokeNs":5}', 'no return'],
    ['{"client":1,"op":"get","key":"a","invokeNs":5,"returnNs":4,"result":null}', 'returns early'],
    ['{"client":1,"op":"put","key":"a","invokeNs":5,"returnNs":6,"result":null}', 'no value'],
    ['{"client":1,"op":"add","key":"a","invokeNs":5,"returnNs":6,"result":null}', 'unknown verb'],
  ])('is refused with a line that is no operation: %s', (line) => {
    expect(() => checkHistoryText(line)).toThrow(HistoryFormatError);
  });
});
