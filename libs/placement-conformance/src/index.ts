export { MemoryPlacement } from './memory-placement.ts';
