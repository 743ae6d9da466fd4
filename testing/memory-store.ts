/** State of one process, for tests of those who may not know whose store it is. */
export { MemoryStore } from '../cli/store/memory-store.ts'
