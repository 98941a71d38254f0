export { AssertionError, assert, unreachable } from './assert.ts';
export type { Branded } from './branded.ts';
export { fail, succeed } from './result.ts';
export type { Result } from './result.ts';
