/** What the dying process applies; its test applies the same. */
export const SEED = 11;
export const COMMANDS = 10_000;
export const BATCH_COMMANDS = 300;
