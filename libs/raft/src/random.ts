/** A small seeded generator: its whole state is one 32-bit number, kept in the state of a node. */
export interface RandomState {
  randomState: number;
}

/** A number in `[0, after)`. Advances the generator; good enough for jitter, for nothing else. */
export function nextBelow(state: RandomState, after: number): number {
  state.randomState = (state.randomState + 0x9e3779b9) | 0;
  let mixed = state.randomState;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  mixed ^= mixed >>> 15;
  return (mixed >>> 0) % after;
}
