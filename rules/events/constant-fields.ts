import type { Value } from './value.ts'

/** Fields that have the same value in every event. */
export const constantFields: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['evt.source', 'syscall'],
  ['evt.is_async', false],
  ['evt.dir', '<'],
  ['evt.count', 1],
  ['evt.latency', 0],
  ['evt.latency.s', 0],
  ['evt.latency.ns', 0],
  ['evt.latency.quantized', 0],
  ['evt.latency.human', '0ns'],
  ['evt.wait_latency', 0],
])
