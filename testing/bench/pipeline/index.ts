import { throughput } from './throughput.ts'

/** What happens in the cloud, measured on this machine. */
export const pipelineMeasurements = { throughput }
