import type { Table } from '../figures.ts'
import { build } from './build.ts'
import { bytes } from './bytes.ts'
import type { Effort } from './effort.ts'
import { flood } from './flood.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { loops } from './loops.ts'
import { memory } from './memory.ts'
import { selectivity } from './selectivity.ts'

export type { Effort } from './effort.ts'
export { full, trial } from './effort.ts'

/** What is measured of `lanner agent`, by name. */
export const collectorMeasurements: Readonly<Record<string, (effort: Effort) => Promise<Table[]>>> =
  { build, loops, memory, flood, bytes, latency, idle, selectivity }
