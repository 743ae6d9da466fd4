import { coldStart } from './cold-start.ts'
import { latency } from './latency.ts'
import { throughput } from './throughput.ts'
import { writes } from './writes.ts'

/** What happens in the cloud, measured on this machine. */
export const pipelineMeasurements = { throughput, latency, writes, 'cold-start': coldStart }
